import LinuxABI

/// What to map, and where, so that an ELF file can run: `execve(2)` without its side effects.
///
/// Making a plan changes nothing, so every refusal comes before the old program is gone. The
/// mappings do not overlap, ascend, are made of whole pages, and lie inside the limits.
public struct LoadPlan: Sendable {
    /// One mapping, private in either case.
    public struct Mapping: Sendable {
        public enum Source: Equatable, Sendable {
            /// From a page-aligned offset of the file.
            case file(offset: UInt64)
            case anonymous
        }

        /// Whole pages.
        public let addresses: Range<UInt64>
        public let source: Source
        public let protection: MappingProtection
        /// Bytes of the last file page to clear after mapping: the begin of the bss. Empty for
        /// most mappings, and always for those that are not writable, as on Linux.
        public let zeroFill: Range<UInt64>
    }

    /// More loadable segments than any linker makes; it bounds the plan's only allocations.
    public static var maximumSegments: Int { 64 }

    public let mappings: [Mapping]
    /// From the first mapped page to the end of the last.
    public let addresses: Range<UInt64>
    public let entry: UInt64
    /// Added to every address of the file, modulo 2^64. Zero unless position-independent.
    public let bias: UInt64
    /// AT_PHDR; zero when no segment holds the table.
    public let programHeaderAddress: UInt64
    /// AT_PHNUM
    public let programHeaderCount: Int
    public let isPositionIndependent: Bool
    /// The largest `p_align`, at least a page. A position-independent image is placed at it.
    public let alignment: UInt64
    /// PT_GNU_STACK asks for it. A file without that header gets none (Linux gives it one, from
    /// a time when compilers put trampolines there).
    public let hasExecutableStack: Bool
    /// There is a PT_TLS segment. Setting it up is the C library's work.
    public let hasThreadLocalStorage: Bool
    /// PT_INTERP's path, without its zero byte.
    public let interpreter: [UInt8]?

    /// Where the heap begins, before any random gap: the page after the image.
    public var breakStart: UInt64 { addresses.upperBound }

    /// Plans a program or an interpreter.
    ///
    /// `base` is the lowest address for a position-independent image; the plan begins at the
    /// first address from there on that has the file's alignment.
    public init(
        _ file: any ExecutableFile,
        limits: AddressLimits,
        base: UInt64
    ) throws(LoadError) {
        let header = try LoadPlan.readHeader(file)
        let table = try ProgramHeaderTable(file, header)
        let span = table.segments[0].firstPage..<table.segments[table.segments.count - 1].lastPage

        isPositionIndependent = header.type == ELF.FileType.dynamic
        alignment = table.alignment
        bias =
            isPositionIndependent
            ? try LoadPlan.placement(of: span, alignment, limits, base) : 0
        addresses = (span.lowerBound &+ bias)..<(span.upperBound &+ bias)
        mappings = try LoadPlan.mappings(table.segments, bias, limits)
        entry = header.entry &+ bias
        guard table.isExecutable(header.entry) else { throw .entryNotExecutable(header.entry) }
        if let address = table.address(ofOffset: header.programHeaderOffset) {
            programHeaderAddress = address &+ bias
        } else {
            programHeaderAddress = 0
        }
        programHeaderCount = Int(header.programHeaderCount)
        hasExecutableStack = table.hasExecutableStack
        hasThreadLocalStorage = table.hasThreadLocalStorage
        interpreter = try table.readInterpreter(file)
    }

    /// The bias that puts `span` at the first aligned address from `base` on.
    private static func placement(
        of span: Range<UInt64>,
        _ alignment: UInt64,
        _ limits: AddressLimits,
        _ base: UInt64
    ) throws(LoadError) -> UInt64 {
        let size = span.upperBound - span.lowerBound
        let room = limits.highest > base ? limits.highest - base : 0
        let (needed, overflow) = size.addingReportingOverflow(alignment - 1)
        guard !overflow, needed <= room else { throw .imageTooLarge(size: size) }
        return (base.pageStart &- span.lowerBound &+ (alignment - 1)) & ~(alignment - 1)
    }

    private static func mappings(
        _ segments: [Segment],
        _ bias: UInt64,
        _ limits: AddressLimits
    ) throws(LoadError) -> [Mapping] {
        var result: [Mapping] = []
        result.reserveCapacity(segments.count * 2)
        for position in 0..<segments.count {
            let segment = segments[position]
            try limits.check(segment, bias)
            var end = segment.lastPage
            if position + 1 < segments.count, segments[position + 1].firstPage < end {
                let next = segments[position + 1]
                guard next.start >= segment.end, segment.sharesFilePage(with: next) else {
                    throw .segmentsOverlap(segment: segment.index, other: next.index)
                }
                end = next.firstPage
            }
            append(segment, upTo: end, bias, to: &result)
        }
        return result
    }

    /// Adds a segment's file pages, and then the pages of its bss.
    private static func append(
        _ segment: Segment,
        upTo end: UInt64,
        _ bias: UInt64,
        to mappings: inout [Mapping]
    ) {
        let first = segment.firstPage
        let boundary = segment.hasFileBytes ? min(segment.filePages, end) : first
        if boundary > first {
            let clears = segment.hasZeroes && segment.protection.contains(.write)
            let zeroes = clears ? segment.fileEnd..<boundary : boundary..<boundary
            mappings.append(
                Mapping(
                    addresses: (first &+ bias)..<(boundary &+ bias),
                    source: .file(offset: segment.offset.pageStart),
                    protection: segment.protection,
                    zeroFill: (zeroes.lowerBound &+ bias)..<(zeroes.upperBound &+ bias)
                )
            )
        }
        guard end > boundary else { return }
        mappings.append(
            Mapping(
                addresses: (boundary &+ bias)..<(end &+ bias),
                source: .anonymous,
                protection: segment.protection,
                zeroFill: (end &+ bias)..<(end &+ bias)
            )
        )
    }
}

extension AddressLimits {
    /// Refuses a segment that would lie where programs may not.
    func check(_ segment: Segment, _ bias: UInt64) throws(LoadError) {
        let first = segment.firstPage &+ bias
        let end = segment.lastPage &+ bias
        guard first >= lowest else {
            throw .segmentTooLow(segment: segment.index, address: first)
        }
        guard end <= highest, first < end else {
            throw .segmentTooHigh(segment: segment.index, address: first)
        }
        guard end <= kernel.lowerBound || first >= kernel.upperBound else {
            throw .segmentOverKernel(segment: segment.index, address: first)
        }
    }
}
