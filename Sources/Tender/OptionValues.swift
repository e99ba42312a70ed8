import Glibc

/// An amount of memory as the command line writes it: `512M`, `2g`, `1048576`.
public struct MemorySize: Sendable, Equatable {
    public let bytes: UInt64

    /// What the kernel needs for itself and the smallest program.
    public static let minimum: UInt64 = 8 << 20
    /// The same where the program's file is beside it: measured, with half a MiB more than the least.
    public static let minimumOfMachine: UInt64 = 4 << 20

    /// Digits and one of `b k m g t` in either case, powers of 1024 as with `docker run`.
    public init?(parsing text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = UInt64(digits) else { return nil }
        var unit = text.dropFirst(digits.count).lowercased()
        if unit.count > 1 {
            if unit.hasSuffix("ib") {
                unit.removeLast(2)
            } else if unit.hasSuffix("b") {
                unit.removeLast()
            }
        }
        let shifts = ["": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        guard let shift = shifts[unit] else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << UInt64(shift))
        guard !overflow, bytes <= UInt64(Int64.max) else { return nil }
        self.bytes = bytes
    }

    /// What a machine has when nothing is said; the host gives what is touched of it.
    static var ofMachine: UInt64 { min(ofHost() / 2, 2 << 30) }

    /// What the host has.
    static func ofHost() -> UInt64 {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return pages > 0 ? UInt64(pages) * UInt64(sysconf(Int32(_SC_PAGESIZE))) : 1 << 30
    }
}

/// Collects the guest's environment: nothing of the host's passes but what is named.
public struct EnvironmentBuilder {
    /// Each name once, in the order in which they were first set.
    public private(set) var result: [String] = []

    /// Starts with `TERM`, where the host has it.
    public init(terminal: String? = hostVariable("TERM")) {
        if let terminal { set("TERM", to: terminal[...]) }
    }

    /// `NAME=value`, or `NAME` for the host's value; a name that the host has not is left out.
    public mutating func add(_ text: String) throws(LaunchFailure) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else {
            throw LaunchFailure("environment variable '\(text)' has no name; write NAME=value")
        }
        if parts.count == 2 {
            set(name, to: parts[1])
        } else if let value = hostVariable(String(name)) {
            set(name, to: value[...])
        }
    }

    /// The lines of a file as `docker run --env-file` takes them: no quoting, `#` at the start.
    public mutating func addFile(_ path: String) throws(LaunchFailure) {
        guard let text = readTextFile(path) else {
            throw LaunchFailure("cannot read the environment file \(path): \(lastErrorText())")
        }
        for line in text.split(whereSeparator: \.isNewline) {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            guard !trimmed.isEmpty, trimmed.first != "#" else { continue }
            try add(String(trimmed))
        }
    }

    private mutating func set(_ name: Substring, to value: Substring) {
        // String and not Substring to append: that looks a conformance up, at each start.
        let (start, value) = ("\(name)=", String(value))
        if let index = result.firstIndex(where: { $0.utf8.starts(with: start.utf8) }) {
            result[index] = start + value
        } else {
            result.append(start + value)
        }
    }
}

/// A variable of `unirun`'s own environment.
public func hostVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
