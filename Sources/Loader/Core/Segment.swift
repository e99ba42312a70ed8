import LinuxABI

/// A PT_LOAD entry whose numbers have been checked on their own: no sum of them wraps, the file
/// holds its bytes, and one mapping can give address and offset.
struct Segment {
    let index: Int
    let start: UInt64
    let fileEnd: UInt64
    let end: UInt64
    let offset: UInt64
    let protection: MappingProtection

    var firstPage: UInt64 { start.pageStart }
    /// `init` has checked that `end` has a page end, and therefore `fileEnd`.
    var lastPage: UInt64 { end.pageEnd ?? end.pageStart }
    var filePages: UInt64 { fileEnd.pageEnd ?? fileEnd.pageStart }
    var hasFileBytes: Bool { fileEnd > start }
    /// Ends with bytes that the file does not hold.
    var hasZeroes: Bool { end > fileEnd }
    /// What to add to an address to find its byte in the file.
    var fileDelta: UInt64 { offset &- start }

    init(_ header: ELFProgramHeader, index: Int, fileSize: UInt64) throws(LoadError) {
        guard header.fileSize <= header.memorySize else {
            throw .fileSizeAboveMemorySize(segment: index)
        }
        let (end, wraps) = header.virtualAddress.addingReportingOverflow(header.memorySize)
        guard !wraps, end.pageEnd != nil else { throw .segmentWraps(segment: index) }
        let (offsetEnd, beyond) = header.offset.addingReportingOverflow(header.fileSize)
        guard header.fileSize == 0 || (!beyond && offsetEnd <= fileSize) else {
            let end = beyond ? UInt64.max : offsetEnd
            throw .segmentBeyondFile(segment: index, end: end, fileSize: fileSize)
        }
        let isCongruent = header.offset.pageOffset == header.virtualAddress.pageOffset
        guard isCongruent || header.fileSize == 0 else {
            throw .segmentMisaligned(segment: index)
        }
        self.index = index
        self.start = header.virtualAddress
        self.fileEnd = header.virtualAddress &+ header.fileSize
        self.end = end
        self.offset = header.offset
        self.protection = MappingProtection(segmentFlags: header.flags)
    }

    /// The next segment shares this one's last page. One mapping serves both when both show the
    /// same page of the file; Linux would let the later segment silently replace anything else.
    func sharesFilePage(with next: Segment) -> Bool {
        !hasZeroes && next.hasFileBytes && fileDelta == next.fileDelta
    }
}

/// What a mapping permits.
public struct MappingProtection: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static var read: MappingProtection { MappingProtection(rawValue: 1) }
    public static var write: MappingProtection { MappingProtection(rawValue: 2) }
    public static var execute: MappingProtection { MappingProtection(rawValue: 4) }

    /// From `p_flags`; the raw value is that of PROT_READ, PROT_WRITE and PROT_EXEC.
    init(segmentFlags: UInt32) {
        var result: MappingProtection = []
        if segmentFlags & ELF.SegmentFlags.read != 0 { result.insert(.read) }
        if segmentFlags & ELF.SegmentFlags.write != 0 { result.insert(.write) }
        if segmentFlags & ELF.SegmentFlags.execute != 0 { result.insert(.execute) }
        self = result
    }
}
