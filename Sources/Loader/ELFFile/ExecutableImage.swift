import LinuxABI
import LoaderCore

/// An ELF program of the host that the loading core accepts.
///
/// Opening reads headers only, because every start of a program does it; symbols and sections
/// are read when they are asked for.
public final class ExecutableImage {
    public let file: HostFile
    /// Without randomness: addresses are the file's own plus `plan.bias`.
    public let plan: LoadPlan
    let programHeaders: [ELFProgramHeader]
    private(set) lazy var elf = LibELF(file)
    public private(set) lazy var symbols = elf.map { SymbolTable($0) } ?? .empty

    public var path: String { file.path }

    /// PT_INTERP's path.
    public var interpreter: String? {
        plan.interpreter.map { String(decoding: $0, as: UTF8.self) }
    }

    public convenience init(path: String) throws(ProgramError) {
        try self.init(HostFile(path: path))
    }

    init(_ file: HostFile) throws(ProgramError) {
        do throws(LoadError) {
            let limits = AddressLimits.x86
            plan = try LoadPlan(file, limits: limits, base: limits.relocatable)
        } catch {
            let firstBytes = file.bytes(at: 0, count: 512)
            throw ProgramError(path: file.path, error, firstBytes: firstBytes)
        }
        self.file = file
        programHeaders = Self.readProgramHeaders(file)
    }

    /// The plan has checked that the table lies inside the file.
    private static func readProgramHeaders(_ file: HostFile) -> [ELFProgramHeader] {
        let start = file.bytes(at: 0, count: UInt64(ELFHeader.size))
        guard start.count == ELFHeader.size else { return [] }
        let header = start.withUnsafeBytes { ELFHeader($0) }
        let size = UInt64(header.programHeaderCount) * UInt64(ELFProgramHeader.size)
        let table = file.bytes(at: header.programHeaderOffset, count: size)
        return table.withUnsafeBytes { bytes in
            stride(from: 0, through: bytes.count - ELFProgramHeader.size, by: ELFProgramHeader.size)
                .map { ELFProgramHeader(.init(rebasing: bytes[$0...])) }
        }
    }

    /// Bytes of one thread's initialised and zeroed TLS image, or zero.
    public var threadLocalSize: UInt64 {
        programHeaders.first { $0.type == ELF.SegmentType.threadLocal }?.memorySize ?? 0
    }

    /// There may be tables for an unwinder (LSB Core, "Exception Frames"): a file that was stripped of
    /// its sections does not tell.
    public var mayBeUnwound: Bool {
        guard let elf, !elf.sections.isEmpty else { return true }
        return elf.sections.contains { $0.name.hasPrefix(".eh_frame") }
    }

    /// There is no `.symtab`.
    public var isStripped: Bool {
        guard let elf else { return true }
        return !elf.sections.contains { $0.type == 2 }
    }
}

/// Which library a program seems to have been linked with.
public enum RuntimeLibrary: String, Sendable {
    case glibc, musl, go = "Go"
}

extension ExecutableImage {
    /// A note of a PT_NOTE segment.
    struct Note {
        let name: String
        let type: UInt32
        let descriptor: [UInt8]
    }

    var notes: [Note] {
        programHeaders.filter { $0.type == ELF.SegmentType.note }.flatMap { header in
            // Notes are small; a larger claim comes from a damaged file.
            let bytes = file.bytes(at: header.offset, count: min(header.fileSize, 1 << 16))
            return Self.parseNotes(bytes, alignment: header.alignment == 8 ? 8 : 4)
        }
    }

    private static func parseNotes(_ bytes: [UInt8], alignment: Int) -> [Note] {
        var notes: [Note] = []
        var offset = 0
        let align = { (value: Int) in (value + alignment - 1) & ~(alignment - 1) }
        while offset + 12 <= bytes.count {
            let words = bytes.withUnsafeBytes { buffer in
                (0..<3).map {
                    buffer.loadUnaligned(fromByteOffset: offset + $0 * 4, as: UInt32.self)
                }
            }
            let name = offset + 12
            let nameEnd = name + Int(words[0])
            let descriptor = align(nameEnd)
            let end = descriptor + Int(words[1])
            guard end <= bytes.count else { break }
            notes.append(
                Note(
                    name: String(decoding: bytes[name..<nameEnd].prefix { $0 != 0 }, as: UTF8.self),
                    type: words[2],
                    descriptor: Array(bytes[descriptor..<end])
                )
            )
            offset = align(end)
        }
        return notes
    }

    /// The GNU build id (note type 3) in hexadecimal.
    public var buildID: String? {
        let note = notes.first { $0.name == "GNU" && $0.type == 3 }
        return note?.descriptor.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// A guess: Go and glibc leave notes, musl only a symbol. `nil` where nothing tells.
    public var runtimeLibrary: RuntimeLibrary? {
        let notes = self.notes
        if notes.contains(where: { $0.name == "Go" }) { return .go }
        if notes.contains(where: { $0.name == "GNU" && $0.type == 1 }) { return .glibc }
        if symbols.symbols.contains(where: { $0.name == "__init_libc" }) { return .musl }
        return nil
    }

    /// One line: `ELF64 x86-64, static PIE, glibc, TLS 96 bytes, stripped, build id …`.
    public var summary: String {
        var parts = ["ELF64 x86-64"]
        if let interpreter {
            parts.append("dynamically linked (\(interpreter))")
        } else {
            parts.append(plan.isPositionIndependent ? "static PIE" : "static")
        }
        if let runtimeLibrary { parts.append(runtimeLibrary.rawValue) }
        if threadLocalSize > 0 { parts.append("TLS \(threadLocalSize) bytes") }
        if plan.hasExecutableStack { parts.append("executable stack") }
        if isStripped { parts.append("stripped") }
        if let buildID { parts.append("build id \(buildID)") }
        return parts.joined(separator: ", ")
    }
}
