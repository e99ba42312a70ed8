import ArgumentParser
import SyscallShim
import Tender

/// `unirun syscalls`: every system call the kernel knows, and how well.
struct SyscallsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "syscalls",
        abstract: "List the system calls and how much of each there is.",
        discussion: "Calls that are not listed fail with ENOSYS."
    )

    enum Format: String, CaseIterable {
        case table
        case json
        case markdown
    }

    @Option(name: .shortAndLong, help: "How to print them.")
    var output = Choice(Format.table)

    @Flag(help: "List what the kernel itself may ask of its host, which the sandbox lets pass.")
    var host = false

    func run() throws {
        let output = try output.value(of: "output")
        guard !host else { return printHostCalls(output) }
        let rows = CallDescription.all
        switch output {
        case .table: printTable(rows)
        case .json: printJSON(rows)
        case .markdown: printMarkdown(rows)
        }
    }

    private func printHostCalls(_ output: Format) {
        let rows = HostCallDescription.all
        switch output {
        case .table:
            var table = TextTable(["number", "name", "condition"])
            for row in rows { table.add([String(row.number), row.name, row.condition]) }
            print(table.text, terminator: "")
        case .json:
            let lines = rows.map { row in
                "  {\"number\": \(row.number), \"name\": \(quoted(row.name)), "
                    + "\"condition\": \(quoted(row.condition))}"
            }
            print("[\n\(lines.joined(separator: ",\n"))\n]")
        case .markdown:
            print("| number | name | condition |\n|---:|---|---|")
            for row in rows { print("| \(row.number) | \(row.name) | \(row.condition) |") }
        }
    }

    private func printTable(_ rows: [CallDescription]) {
        var table = TextTable(["number", "name", "level", "note"])
        for row in rows { table.add([String(row.number), row.name, row.level.rawValue, row.note]) }
        print(table.text, terminator: "")
        print("\n\(CallDescription.summary(rows))")
    }

    private func printMarkdown(_ rows: [CallDescription]) {
        print("| number | name | level | note |\n|---:|---|---|---|")
        for row in rows {
            print("| \(row.number) | \(row.name) | \(row.level.rawValue) | \(row.note) |")
        }
    }

    private func printJSON(_ rows: [CallDescription]) {
        let lines = rows.map { row in
            "  {\"number\": \(row.number), \"name\": \(quoted(row.name)), "
                + "\"level\": \"\(row.level.rawValue)\", \"note\": \(quoted(row.note))}"
        }
        print("[\n\(lines.joined(separator: ",\n"))\n]")
    }

    private func quoted(_ text: String) -> String {
        let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }
        return "\"\(escaped.joined())\""
    }
}

/// A row of the kernel's table in the command's words.
struct CallDescription {
    enum Level: String {
        case full
        case partial
        case missing
    }

    var number: Int
    var name: String
    var level: Level
    var note: String

    /// By number.
    static var all: [CallDescription] {
        var rows: [CallDescription] = []
        SystemCallTable.forEach { rows.append(CallDescription($0)) }
        return rows.sorted { $0.number < $1.number }
    }

    /// A call without a row.
    init(unknown number: Int) {
        self.number = number
        name = SystemCallNames.name(number)
        level = .missing
        note = "fails with ENOSYS"
    }

    private init(_ row: Row) {
        number = Int(row.number)
        name = row.name.description
        note = row.note.description
        level =
            switch row.level {
            case .full: .full
            case .partial: .partial
            case .refused: .missing
            }
    }

    static func summary(_ rows: [CallDescription]) -> String {
        func count(_ level: Level) -> Int { rows.filter { $0.level == level }.count }
        return "\(rows.count) system calls: \(count(.full)) full, \(count(.partial)) partial, "
            + "\(count(.missing)) missing"
    }
}

/// Columns of text, each as wide as its widest cell.
struct TextTable {
    private var rows: [[String]] = []

    init(_ heading: [String] = []) { if !heading.isEmpty { rows.append(heading) } }

    mutating func add(_ row: [String]) { rows.append(row) }

    var text: String {
        guard let first = rows.first else { return "" }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += "  " + cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
