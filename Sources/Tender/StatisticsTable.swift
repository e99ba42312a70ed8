import LaunchRecord

/// The `--stats` report as people read it, made of the kernel's lines (`StatisticsReport`).
public struct StatisticsTable {
    private struct Call {
        var name: Substring
        var count: UInt64
        var errors: UInt64
        var total: UInt64
        var median: UInt64
        var tail: UInt64
    }

    private struct Site {
        var address: UInt64
        var state: Substring
        var reason: Substring
        var count: UInt64
    }

    private var calls: [Call] = []
    private var sites: [Site] = []
    private var faults: [(Substring, UInt64)] = []
    private var hostCalls: [(Substring, UInt64)] = []
    private var values: [(Substring, Int64)] = []
    /// Names the code at an address of the program's file.
    private let symbol: (UInt64) -> String?
    private var loadBias: UInt64 {
        UInt64(bitPattern: values.first { $0.0 == "load_bias" }?.1 ?? 0)
    }

    /// Lines that do not read as they should are skipped: a kernel that died wrote half of one.
    public init(_ lines: String, symbol: @escaping (UInt64) -> String? = { _ in nil }) {
        self.symbol = symbol
        for line in lines.split(separator: "\n") { add(line.split(separator: " ")) }
        calls.sort { $0.total > $1.total }
        sites.sort { ($0.state, $1.count, $0.address) > ($1.state, $0.count, $1.address) }
    }

    private mutating func add(_ words: [Substring]) {
        guard words.count >= 3 else { return }
        switch (words[0], words.count) {
        case ("call", 7):
            let numbers = words[2...].compactMap { UInt64($0) }
            guard numbers.count == 5 else { return }
            calls.append(
                Call(
                    name: name(words[1]),
                    count: numbers[0],
                    errors: numbers[1],
                    total: numbers[2],
                    median: numbers[3],
                    tail: numbers[4]
                )
            )
        case ("site", 5):
            guard words[1].hasPrefix("0x"), let count = UInt64(words[4]),
                let address = UInt64(words[1].dropFirst(2), radix: 16)
            else { return }
            sites.append(Site(address: address, state: words[2], reason: words[3], count: count))
        case ("fault", 3): UInt64(words[2]).map { faults.append((words[1], $0)) }
        case ("host", 3): UInt64(words[2]).map { hostCalls.append((name(words[1]), $0)) }
        case ("value", 3): Int64(words[2]).map { values.append((words[1], $0)) }
        default: return
        }
    }

    /// The kernel writes `#n` for what it has no row for.
    private func name(_ word: Substring) -> Substring {
        guard word.first == "#", let number = Int(word.dropFirst()) else { return word }
        return SystemCallNames.name(number)[...]
    }

    /// Sections of aligned columns; a section without rows is left out.
    public func rendered() -> String {
        var text = ""
        section("system calls", into: &text, callRows())
        section("sites", into: &text, siteRows())
        section("page faults", into: &text, pairs(faults))
        section("host calls", into: &text, pairs(hostCalls))
        section("kernel", into: &text, pairs(values.filter { $0.0 != "load_bias" }))
        return text
    }

    private func callRows() -> [[String]] {
        guard !calls.isEmpty else { return [] }
        let rows = calls.map {
            [
                String($0.name), String($0.count), String($0.errors), duration($0.total),
                duration($0.median), duration($0.tail),
            ]
        }
        return [["call", "count", "errors", "total", "p50", "p99"]] + rows
    }

    private func siteRows() -> [[String]] {
        guard !sites.isEmpty else { return [] }
        let rows = sites.map {
            [
                "0x" + String($0.address, radix: 16), String($0.count), String($0.state),
                $0.reason == "-" ? "" : String($0.reason), symbol($0.address &- loadBias) ?? "",
            ]
        }
        return [["site", "caught", "state", "reason", "symbol"]] + rows
    }

    private func pairs<Number: CustomStringConvertible>(_ pairs: [(Substring, Number)])
        -> [[String]]
    {
        pairs.map { [String($0.0), $0.1.description] }
    }

    /// Three digits or so, with the unit that fits.
    private func duration(_ nanoseconds: UInt64) -> String {
        let units: [(UInt64, String)] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "µs")]
        for (size, name) in units where nanoseconds >= size {
            let whole = nanoseconds / size
            return whole >= 100
                ? "\(whole) \(name)" : "\(whole).\(nanoseconds % size * 10 / size) \(name)"
        }
        return "\(nanoseconds) ns"
    }

    private func section(_ title: String, into text: inout String, _ rows: [[String]]) {
        guard let last = rows.last else { return }
        text += "\n\(title)\n"
        let widths = last.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        // Decimal numbers stand at the right; a heading stands as what is below it.
        let areNumbers = last.map {
            ($0.first?.isNumber == true || $0.first == "-") && !$0.hasPrefix("0x")
        }
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line += "  " + (areNumbers[column] ? space + cell : cell + space)
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
    }
}
