import ELFFile
import Glibc
import TenderSupport

/// What the kernel says when it cannot go on, for the user to read: addresses get names.
struct MachineConsole {
    /// The kernel image with symbols, or without.
    let image: String

    private(set) var hasSaidSomething = false
    /// The beginning of a line.
    private var rest: [UInt8] = []
    private var symbols: SymbolTable?

    /// Longer lines are passed on in pieces.
    private static let lineLimit = 4096

    init(image: String) { self.image = image }

    /// Passes on what has come.
    mutating func take(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        hasSaidSomething = true
        for byte in bytes {
            rest.append(byte)
            if byte == UInt8(ascii: "\n") || rest.count >= Self.lineLimit { passOn() }
        }
    }

    /// Passes on the rest, when nothing more comes.
    mutating func end() {
        if !rest.isEmpty { passOn() }
    }

    private mutating func passOn() {
        let line = rest
        rest = []
        let text = named(line).map { Array("\($0)\n".utf8) } ?? line
        _ = text.withUnsafeBytes { writeAll(STDERR_FILENO, $0) }
    }

    /// A line `  at` and an address, with the name of what lies there.
    private mutating func named(_ line: [UInt8]) -> String? {
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("  at "), let address = UInt64(text.dropFirst(5).dropLast(), radix: 16)
        else { return nil }
        guard let name = kernelSymbols().describe(address) else { return nil }
        return text.dropLast() + " " + demangled(name)
    }

    private mutating func kernelSymbols() -> SymbolTable {
        if let symbols { return symbols }
        let found = SymbolTable(ofFile: image)
        symbols = found
        return found
    }

    /// A name of Swift as it was written, with the offset that follows it.
    private func demangled(_ name: String) -> String {
        let parts = name.split(separator: "+", maxSplits: 1)
        guard let first = parts.first, first.hasPrefix("$") else { return name }
        guard let text = swiftDemangle(String(first), first.utf8.count, nil, nil, 0) else {
            return name
        }
        defer { free(text) }
        return String(cString: text) + (parts.count > 1 ? "+\(parts[1])" : "")
    }
}

/// The Swift runtime's; the result is to be freed.
@_silgen_name("swift_demangle")
private func swiftDemangle(
    _ name: UnsafePointer<CChar>,
    _ length: Int,
    _ buffer: UnsafeMutablePointer<CChar>?,
    _ size: UnsafeMutablePointer<Int>?,
    _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?
