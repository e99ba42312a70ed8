import LinuxABI
import LoaderCore

extension ProgramError {
    private static let rebuild = "build it for x86-64 Linux (64-bit)"
    private static let damaged = "the file is damaged or incomplete: copy or build it again"

    /// Puts a loader's refusal into words.
    init(path: String, _ error: LoadError, firstBytes: [UInt8]) {
        let (reason, advice) =
            Self.aboutFormat(error, firstBytes) ?? Self.aboutHeaders(error)
            ?? Self.aboutSegments(error)
        self.init(path: path, reason: reason, advice: advice)
    }

    private static func aboutFormat(
        _ error: LoadError,
        _ firstBytes: [UInt8]
    ) -> (String, String?)? {
        switch error {
        case .unreadable(let errno):
            return ("it cannot be read (errno \(errno.rawValue))", nil)
        case .empty: return ("the file is empty", damaged)
        case .notELF:
            let format = FileFormat(firstBytes)
            return ("it is no ELF program but \(format.name)", format.advice)
        case .truncatedHeader(let size):
            return ("it ends after \(size) bytes, inside the ELF header", damaged)
        case .wrongClass(let value):
            return (value == 1 ? "it is a 32-bit program" : "its ELF class is \(value)", rebuild)
        case .wrongByteOrder(let value):
            let name = value == 2 ? "it is a big-endian program" : "its byte order is \(value)"
            return (name, rebuild)
        case .wrongMachine(let value):
            return ("it is a program for \(machineName(value))", rebuild)
        case .wrongVersion(let value): return ("its ELF version is \(value), not 1", damaged)
        case .notExecutable(let type): return aboutType(type)
        case .badScriptLine:
            return (
                "its #! line names no interpreter",
                "write the interpreter's path into the first 255 bytes"
            )
        default: return nil
        }
    }

    private static func aboutType(_ type: UInt16) -> (String, String?) {
        switch type {
        case ELF.FileType.relocatable:
            ("it is an object file (.o or .ko), not a program", "link it first")
        case ELF.FileType.core:
            ("it is a core dump", "name the program that dumped it")
        default:
            ("its ELF type is \(type), neither a program nor a library", damaged)
        }
    }

    private static func aboutHeaders(_ error: LoadError) -> (String, String?)? {
        switch error {
        case .noProgramHeaders:
            return ("it has no program headers, so nothing says how to load it", "link it first")
        case .wrongProgramHeaderSize(let size):
            return ("its program headers are \(size) bytes large, not 56", damaged)
        case .tooManyProgramHeaders(let count):
            return ("it has \(count) program headers; Linux loads at most 1170", damaged)
        case .programHeadersBeyondFile(let offset, let size):
            return (
                "its program headers (offset \(hex(offset))) lie beyond its end (\(hex(size)))",
                damaged
            )
        case .noLoadableSegment:
            return ("it has no segment to load", "link it as a program")
        case .tooManySegments:
            return (
                "it has more than \(LoadPlan.maximumSegments) segments to load",
                "link it with the default linker script"
            )
        case .entryNotExecutable(let entry):
            let why = "its entry \(hex(entry)) lies in no executable segment"
            return entry == 0 ? ("\(why): it may be a shared library", nil) : (why, damaged)
        case .severalInterpreters: return ("it names more than one interpreter", damaged)
        case .badInterpreterPath: return ("its interpreter's path is malformed", damaged)
        default: return nil
        }
    }

    private static func aboutSegments(_ error: LoadError) -> (String, String?) {
        let elsewhere = "link it at another address, or as a static PIE (-static-pie)"
        switch error {
        case .fileSizeAboveMemorySize(let segment):
            return ("segment \(segment) is larger in the file than in memory", damaged)
        case .segmentBeyondFile(let segment, let end, let size):
            return (
                "segment \(segment) ends at \(hex(end)), beyond the file's end (\(hex(size)))",
                damaged
            )
        case .segmentWraps(let segment):
            return ("segment \(segment) wraps around the end of the address space", damaged)
        case .segmentMisaligned(let segment):
            return (
                "segment \(segment) has an offset and an address that differ within the page",
                "link it with pages of 4096 bytes (-z max-page-size=4096)"
            )
        case .segmentTooLow(let segment, let address):
            return ("segment \(segment) at \(hex(address)) is too low", elsewhere)
        case .segmentTooHigh(let segment, let address):
            return ("segment \(segment) at \(hex(address)) reaches too high", elsewhere)
        case .segmentOverKernel(let segment, let address):
            return (
                "segment \(segment) at \(hex(address)) covers the kernel (0x70000000-0x7fffffff)",
                elsewhere
            )
        case .segmentsOverlap(let segment, let other):
            return ("segments \(segment) and \(other) overlap", "link it again")
        case .imageTooLarge(let size):
            return ("it needs \(hex(size)) bytes of address space, which there are not", nil)
        default: return ("\(error)", nil)
        }
    }

    static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

    /// Names of `e_machine` that people meet.
    private static func machineName(_ machine: UInt16) -> String {
        switch machine {
        case 3: "i386"
        case 8: "MIPS"
        case 20, 21: "PowerPC"
        case 22: "s390"
        case 40: "32-bit ARM"
        case 183: "arm64 (aarch64)"
        case 243: "RISC-V"
        case 247: "BPF"
        case 258: "LoongArch"
        default: "another processor (ELF machine \(machine))"
        }
    }
}
