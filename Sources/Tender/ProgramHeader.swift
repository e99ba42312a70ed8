import Glibc

/// What the first bytes of a program's file tell, enough for a clear error before anything starts.
///
/// The kernel checks everything again: this is courtesy, not a boundary. elf(5), execve(2).
struct ProgramHeader {
    enum Format: Equatable {
        case elf(interpreter: String?)
        case script(interpreter: String)
    }

    var format: Format

    /// Whether the file at `path` is a program that needs no other file.
    static func isSelfContained(_ path: String) -> Bool {
        let descriptor = openFile(path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let header = try? ProgramHeader(of: descriptor, named: path)
        return header?.format == .elf(interpreter: nil)
    }

    /// Reads and checks the start of an open file; throws what is wrong with it, in words.
    init(of descriptor: Int32, named name: String) throws(LaunchFailure) {
        var page = [UInt8](repeating: 0, count: 4096)
        let count = pread(descriptor, &page, page.count, 0)
        guard count >= 0 else { throw .cannotRun(name, "\(lastErrorText()); check the file") }
        guard count > 0 else { throw .cannotRun(name, "the file is empty; build it again") }
        page.removeLast(page.count - count)
        if page.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) {
            format = .script(interpreter: Self.scriptInterpreter(page))
            return
        }
        guard page.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
            throw .cannotRun(name, "it is not an ELF program; unirun runs Linux x86-64 binaries")
        }
        if let problem = Self.problem(page) { throw .cannotRun(name, problem) }
        format = .elf(interpreter: Self.interpreter(descriptor, page))
    }

    private static func scriptInterpreter(_ page: [UInt8]) -> String {
        let line = page.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return String(decoding: words.first ?? [], as: UTF8.self)
    }

    private static func problem(_ page: [UInt8]) -> String? {
        guard page.count >= 64 else { return "the file is cut off; copy or build it again" }
        guard page[4] == 2 else {
            return "it is a 32-bit program; build it for x86-64 (with -m64)"
        }
        guard page[5] == 1 else { return "it is a big-endian program; build it for x86-64" }
        let machine = UInt16(page[18]) | UInt16(page[19]) << 8
        guard machine == 62 else {
            return "it is built for \(machineName(machine)); build it for x86-64"
        }
        switch UInt16(page[16]) | UInt16(page[17]) << 8 {
        case 2, 3: return nil
        case 1: return "it is an object file, not a program; link it first"
        case 4: return "it is a core dump, not a program; give the program that wrote it"
        default: return "it is no executable ELF file; build it again"
        }
    }

    private static func machineName(_ machine: UInt16) -> String {
        switch machine {
        case 3: return "32-bit x86"
        case 8: return "MIPS"
        case 20, 21: return "PowerPC"
        case 22: return "s390"
        case 40: return "32-bit ARM"
        case 183: return "AArch64"
        case 243: return "RISC-V"
        case 258: return "LoongArch"
        default: return "another processor (ELF machine \(machine))"
        }
    }

    /// The path in `PT_INTERP`; `nil` when there is none or the headers cannot be read.
    private static func interpreter(_ descriptor: Int32, _ page: [UInt8]) -> String? {
        func load<T: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int, as type: T.Type) -> T {
            bytes.withUnsafeBytes {
                T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type))
            }
        }
        let table = load(page, 32, as: UInt64.self)
        let entrySize = Int(load(page, 54, as: UInt16.self))
        let entries = min(Int(load(page, 56, as: UInt16.self)), 1024)
        guard entrySize == 56, table <= UInt64(Int64.max) - (1 << 20) else { return nil }
        var headers = [UInt8](repeating: 0, count: entries * entrySize)
        guard pread(descriptor, &headers, headers.count, off_t(table)) == headers.count else {
            return nil
        }
        for start in stride(from: 0, to: headers.count, by: entrySize)
        where load(headers, start, as: UInt32.self) == 3 {
            let offset = load(headers, start + 8, as: UInt64.self)
            let size = min(load(headers, start + 32, as: UInt64.self), 4096)
            guard offset <= UInt64(Int64.max) - 4096 else { return nil }
            var path = [UInt8](repeating: 0, count: Int(size))
            let count = pread(descriptor, &path, path.count, off_t(offset))
            guard count > 0 else { return nil }
            return String(decoding: path[..<count].prefix { $0 != 0 }, as: UTF8.self)
        }
        return nil
    }
}
