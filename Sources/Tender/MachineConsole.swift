import ELFFile
import Glibc
import TenderSupport

/// What the kernel says when it cannot go on, for the user to read: addresses get names.
struct MachineConsole {
    /// A pipe.
    let descriptor: Int32
    /// The kernel image with symbols, or without.
    let image: String

    private(set) var hasSaidSomething = false
    private var isOpen = true
    /// The beginning of a line.
    private var rest: [UInt8] = []
    private var symbols: SymbolTable?

    /// Longer lines are passed on in pieces.
    private static let lineLimit = 4096

    init(descriptor: Int32, image: String) {
        self.descriptor = descriptor
        self.image = image
    }

    /// For poll(2).
    var watched: Int32 { isOpen ? descriptor : -1 }

    /// Passes on what has come.
    mutating func take() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        if count < 0 && errno == EINTR { return }
        guard count > 0 else { return end() }
        hasSaidSomething = true
        for byte in bytes[..<count] {
            rest.append(byte)
            if byte == UInt8(ascii: "\n") || rest.count >= Self.lineLimit { passOn() }
        }
    }

    /// Passes on all there is, when nobody writes any more.
    mutating func drain() {
        while isOpen { take() }
    }

    private mutating func end() {
        isOpen = false
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
