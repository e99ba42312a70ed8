import LinuxABI

/// A part of the program's memory, of which a core holds the first bytes.
public struct CoreSegment {
    public var start: UInt64
    public var length: UInt64
    public var dumped: UInt64
    /// PF_R, PF_W and PF_X.
    public var flags: UInt32

    public init(start: UInt64, length: UInt64, dumped: UInt64, flags: UInt32) {
        self.start = start
        self.length = length
        self.dumped = dumped
        self.flags = flags
    }
}

/// The head of a core: an ELF header and program headers, elf(5).
public struct CoreHeaders {
    /// Notes follow the headers at once, and the first segment's memory them on the next page.
    private let notesStart: UInt64
    private let notesLength: UInt64
    private let segmentCount: Int
    private var nextOffset: UInt64

    public init(segmentCount: Int, notesLength: Int) {
        self.segmentCount = segmentCount
        self.notesLength = UInt64(notesLength)
        notesStart = UInt64(ELFHeader.size + (segmentCount + 1) * ELFProgramHeader.size)
        nextOffset = (notesStart + self.notesLength + 4095) & ~4095
    }

    /// Appends all but the headers of segments, which follow one by one.
    public func begin(_ core: inout CoreStream) {
        let identity =
            UInt64(ELF.magic) | UInt64(ELF.class64) << 32 | UInt64(ELF.littleEndian) << 40
            | UInt64(ELF.currentVersion) << 48
        core.append(identity)
        core.append(0)
        let kind = UInt32(ELF.FileType.core) | UInt32(ELF.machineX86) << 16
        core.append(kind, ELF.currentVersion)
        core.append(0)
        core.append(UInt64(ELFHeader.size))
        core.append(0)
        let sizes = UInt32(ELFHeader.size) | UInt32(ELFProgramHeader.size) << 16
        core.append(0, sizes)
        core.append(UInt64(segmentCount + 1))
        append(ELF.SegmentType.note, 0, at: notesStart, CoreSegment.none, notesLength, &core)
    }

    public mutating func append(_ segment: CoreSegment, _ core: inout CoreStream) {
        append(ELF.SegmentType.load, segment.flags, at: nextOffset, segment, segment.dumped, &core)
        nextOffset += segment.dumped
    }

    private func append(
        _ type: UInt32,
        _ flags: UInt32,
        at offset: UInt64,
        _ segment: CoreSegment,
        _ fileSize: UInt64,
        _ core: inout CoreStream
    ) {
        core.append(type, flags)
        core.append(offset)
        core.append(segment.start)
        core.append(0)
        core.append(fileSize)
        core.append(segment.length)
        core.append(type == ELF.SegmentType.load ? 4096 : 4)
    }
}

extension CoreSegment {
    fileprivate static var none: CoreSegment {
        CoreSegment(start: 0, length: 0, dumped: 0, flags: 0)
    }
}
