import LinuxABI

/// What the program header table says, each segment checked on its own.
struct ProgramHeaderTable {
    /// Loadable segments by address; at least one.
    private(set) var segments: [Segment] = []
    private(set) var alignment = AddressLimits.pageSize
    private(set) var hasExecutableStack = false
    private(set) var hasThreadLocalStorage = false
    private var interpreter: ELFProgramHeader?

    /// Longest path, its zero byte included: PATH_MAX.
    private static var maximumPath: UInt64 { 4096 }

    /// Reads the table of a checked header, one entry at a time: it may be 64 KiB large.
    init(_ file: any ExecutableFile, _ header: ELFHeader) throws(LoadError) {
        let fileSize = file.size
        var words = (
            UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0)
        )
        for index in 0..<Int(header.programHeaderCount) {
            let step = UInt64(index) * UInt64(ELFProgramHeader.size)
            let offset = header.programHeaderOffset &+ step
            let entry = try withUnsafeMutableBytes(of: &words) { bytes throws(LoadError) in
                guard try file.fill(bytes, at: offset) else {
                    throw .programHeadersBeyondFile(offset: offset, fileSize: fileSize)
                }
                return ELFProgramHeader(UnsafeRawBufferPointer(bytes))
            }
            try add(entry, index, fileSize)
        }
        guard !segments.isEmpty else { throw .noLoadableSegment }
    }

    private mutating func add(
        _ entry: ELFProgramHeader,
        _ index: Int,
        _ fileSize: UInt64
    ) throws(LoadError) {
        switch entry.type {
        case ELF.SegmentType.load:
            if entry.alignment.nonzeroBitCount == 1 { alignment = max(alignment, entry.alignment) }
            let segment = try Segment(entry, index: index, fileSize: fileSize)
            if segment.end > segment.start { try insert(segment) }
        case ELF.SegmentType.interpreter:
            guard interpreter == nil else { throw .severalInterpreters }
            interpreter = entry
        case ELF.SegmentType.gnuStack:
            hasExecutableStack = entry.flags & ELF.SegmentFlags.execute != 0
        case ELF.SegmentType.threadLocal:
            hasThreadLocalStorage = true
        default:
            return
        }
    }

    /// Keeps the segments in the order of their addresses. The ABI wants the table in that order,
    /// but Linux does not insist.
    private mutating func insert(_ segment: Segment) throws(LoadError) {
        guard segments.count < LoadPlan.maximumSegments else { throw .tooManySegments }
        var position = segments.count
        while position > 0, segments[position - 1].start > segment.start { position -= 1 }
        segments.insert(segment, at: position)
    }

    func isExecutable(_ address: UInt64) -> Bool {
        for segment in segments where address >= segment.start && address < segment.end {
            return segment.protection.contains(.execute)
        }
        return false
    }

    /// The address, before any bias, at which a byte of the file is loaded.
    func address(ofOffset offset: UInt64) -> UInt64? {
        for segment in segments where offset >= segment.offset {
            let distance = offset - segment.offset
            if distance < segment.fileEnd - segment.start { return segment.start + distance }
        }
        return nil
    }

    /// PT_INTERP's path without its zero byte, or `nil` when there is no such segment.
    func readInterpreter(_ file: any ExecutableFile) throws(LoadError) -> [UInt8]? {
        guard let interpreter else { return nil }
        let length = interpreter.fileSize
        let (end, overflow) = interpreter.offset.addingReportingOverflow(length)
        guard !overflow, end <= file.size, length >= 2, length <= Self.maximumPath else {
            throw .badInterpreterPath
        }
        var path = [UInt8](repeating: 0, count: Int(length))
        let isComplete = ProgramHeaderTable.fill(&path, file, at: interpreter.offset)
        guard try isComplete.get(), path.removeLast() == 0 else { throw .badInterpreterPath }
        guard let first = path.first, first != 0 else { throw .badInterpreterPath }
        if let zero = path.firstIndex(of: 0) { path.removeSubrange(zero...) }
        return path
    }

    /// `Array.withUnsafeMutableBytes` rethrows untyped, which Embedded Swift has not.
    private static func fill(
        _ bytes: inout [UInt8],
        _ file: any ExecutableFile,
        at offset: UInt64
    ) -> Result<Bool, LoadError> {
        bytes.withUnsafeMutableBytes { buffer in
            do throws(LoadError) {
                return .success(try file.fill(buffer, at: offset))
            } catch { return .failure(error) }
        }
    }
}
