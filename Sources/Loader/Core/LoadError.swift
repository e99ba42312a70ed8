import LinuxABI

/// Why a file cannot be executed. Segments are told by their index in the program header table.
public enum LoadError: Error, Equatable, Sendable {
    case unreadable(Errno)
    case empty
    /// Neither ELF nor a script.
    case notELF
    /// An ELF magic, but the file ends inside the header.
    case truncatedHeader(size: UInt64)
    case wrongClass(UInt8)
    case wrongByteOrder(UInt8)
    case wrongMachine(UInt16)
    case wrongVersion(UInt32)
    /// A relocatable object, a core dump, or a type that nobody defined.
    case notExecutable(type: UInt16)
    case noProgramHeaders
    case wrongProgramHeaderSize(UInt16)
    /// The table is larger than 64 KiB, which is Linux's limit too.
    case tooManyProgramHeaders(UInt16)
    case programHeadersBeyondFile(offset: UInt64, fileSize: UInt64)
    case noLoadableSegment
    /// More PT_LOAD segments than `LoadPlan.maximumSegments`.
    case tooManySegments
    case fileSizeAboveMemorySize(segment: Int)
    case segmentBeyondFile(segment: Int, end: UInt64, fileSize: UInt64)
    /// The segment's end is no 64-bit address.
    case segmentWraps(segment: Int)
    /// Offset and address differ modulo the page size, so that no mapping can give both.
    case segmentMisaligned(segment: Int)
    case segmentTooLow(segment: Int, address: UInt64)
    case segmentTooHigh(segment: Int, address: UInt64)
    case segmentOverKernel(segment: Int, address: UInt64)
    /// Two segments claim the same bytes, or pages that no one mapping can serve.
    case segmentsOverlap(segment: Int, other: Int)
    /// A position-independent image, with its alignment, is larger than the room there is for it.
    case imageTooLarge(size: UInt64)
    case entryNotExecutable(UInt64)
    case severalInterpreters
    /// PT_INTERP is empty, longer than PATH_MAX, beyond the file, or not ended by a zero byte.
    case badInterpreterPath
    /// A `#!` line without an interpreter, or with one that 256 bytes do not hold.
    case badScriptLine
}

extension LoadError {
    /// The error of `execve(2)`. Linux finds some of these only past the point of no return, and
    /// kills the process then; here all are found before anything has changed.
    public var errno: Errno {
        switch self {
        case .unreadable(let errno): errno
        case .imageTooLarge: .noMemory
        case .fileSizeAboveMemorySize, .segmentWraps, .segmentMisaligned, .segmentTooLow,
            .segmentTooHigh, .segmentOverKernel, .segmentsOverlap, .segmentBeyondFile,
            .severalInterpreters:
            .invalidArgument
        default: .executableFormat
        }
    }

    /// The error of `execve(2)` when it is the program's interpreter that is bad.
    public var interpreterErrno: Errno {
        switch self {
        case .unreadable(let errno): errno
        case .imageTooLarge: .noMemory
        default: .corruptLibrary
        }
    }
}
