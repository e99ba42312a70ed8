import LinuxABI
import LoaderCore
import Platform

/// A System V shared memory segment: shmget(2). Its memory is that of shared anonymous mappings, and who has
/// attached it is who maps it.
final class SharedSegment: IPCObject, Mappable, MappedName {
    /// Pages of all segments.
    nonisolated(unsafe) static var totalPages = 0

    let size: Int
    private let memory: SharedMemory
    let creator: Int32
    private(set) var lastUser: Int32 = 0
    private(set) var attachTime: Int64 = 0
    private(set) var detachTime: Int64 = 0
    var isLocked = false
    /// IPC_RMID was said while somebody had it attached.
    private var isDoomed = false

    init(key: Int32, size: Int, permissions: UInt32, _ process: Process) throws(Errno) {
        self.size = size
        creator = process.id
        let pages = (size + pageMask) >> 12
        memory = try SharedMemory.make(size: UInt64(pages) << 12)
        super.init(key: key, permissions: permissions, process)
        SharedSegment.totalPages += pages
    }

    deinit { SharedSegment.totalPages -= pages }

    var pages: Int { (size + pageMask) >> 12 }

    /// SHM_DEST and SHM_LOCKED
    override var stateBits: UInt32 { (isDoomed ? 0o1000 : 0) | (isLocked ? 0o2000 : 0) }

    /// Removes the segment, as soon as nobody has it attached.
    func doom() {
        guard mappedRegions > 0 else { return SystemV.segments.remove(self) }
        isDoomed = true
        key = 0
    }

    // MARK: Mapping

    /// As Linux counts who is attached: each mapping, those of forked children too.
    var mappedRegions = 0 {
        didSet {
            let isAttaching = mappedRegions > oldValue
            if isAttaching { attachTime = IPCObject.now() } else { detachTime = IPCObject.now() }
            lastUser = Process.current.id
            if mappedRegions == 0, isDoomed { SystemV.segments.remove(self) }
        }
    }

    var mappableSize: UInt64 { memory.mappableSize }
    var mappedIdentity: (device: UInt64, inode: UInt64) { (1, UInt64(UInt32(bitPattern: id))) }

    func mappedPages(at offset: UInt64, limit: Int, allocating: Bool) throws(Errno) -> MappedPages {
        try memory.mappedPages(at: offset, limit: limit, allocating: allocating)
    }

    func removePages(at offset: UInt64, length: UInt64) throws(Errno) {
        try memory.removePages(at: offset, length: length)
    }

    func appendMappedPath(to text: inout [UInt8]) {
        var path = TextBuffer()
        path.append("/SYSV")
        path.append(hexadecimal: UInt64(UInt32(bitPattern: key)), width: 8)
        path.append(" (deleted)")
        text += path.bytes
    }

    // MARK: Calls

    /// `struct shmid64_ds`
    struct Status: BitwiseCopyable {
        var permissions: IPCStatus
        var size: UInt64
        var attachTime: Int64
        var detachTime: Int64
        var changeTime: Int64
        var creator: Int32
        var lastUser: Int32
        var attached: UInt64
        var unused: (UInt64, UInt64) = (0, 0)
    }

    var segmentStatus: Status {
        Status(
            permissions: status,
            size: UInt64(size),
            attachTime: attachTime,
            detachTime: detachTime,
            changeTime: changeTime,
            creator: creator,
            lastUser: lastUser,
            attached: UInt64(mappedRegions)
        )
    }
}

/// One shmat(2), which shmdt(2) finds again by it.
final class SharedAttachment: MappedName {
    let segment: SharedSegment

    init(_ segment: SharedSegment) { self.segment = segment }

    var attachedSegment: AnyObject? { segment }

    func appendMappedPath(to text: inout [UInt8]) { segment.appendMappedPath(to: &text) }
}

extension SystemV {
    /// As shmget(2). Throws `invalidArgument` for a size, `noSpace`, `noMemory`, and as `find`.
    public static func segment(_ key: Int32, size: UInt, _ flags: UInt32, _ process: Process)
        throws(Errno) -> Int32
    {
        if let found = try find(segments, key, flags) {
            let segment = unsafeDowncast(found, to: SharedSegment.self)
            guard size <= UInt(segment.size) else { throw .invalidArgument }
            try segment.require(flags, process)
            return segment.id
        }
        // SHM_HUGETLB: there are no huge pages of such a kind.
        guard flags & 0o4000 == 0 else { throw .invalidArgument }
        guard size > 0, size <= limits.segmentSize else { throw .invalidArgument }
        let pages = (size - 1) >> 12 + 1
        let used = UInt(SharedSegment.totalPages)
        guard used <= limits.segmentPages, pages <= limits.segmentPages - used,
            segments.count < limits.segmentCount
        else { throw .noSpace }
        guard size <= UInt(Int.max) >> 1 else { throw .noMemory }
        let segment = try SharedSegment(key: key, size: Int(size), permissions: flags, process)
        try segments.insert(segment, limit: limits.segmentCount)
        return segment.id
    }

    private static func segment(_ id: Int32) throws(Errno) -> SharedSegment {
        unsafeDowncast(try segments.object(id), to: SharedSegment.self)
    }

    /// As shmat(2): SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC. Returns where.
    public static func attach(_ id: Int32, at address: UInt64, _ flags: UInt32, _ process: Process)
        throws(Errno) -> UInt64
    {
        guard id >= 0 else { throw .invalidArgument }
        var address = address
        let replaces = flags & 0o40000 != 0
        if address == 0 {
            guard !replaces else { throw .invalidArgument }
        } else if address & UInt64(pageMask) != 0 {
            guard flags & 0o20000 != 0 else { throw .invalidArgument }
            address &= ~UInt64(pageMask)
            guard address != 0 || !replaces else { throw .invalidArgument }
        }
        let isReadOnly = flags & 0o10000 != 0
        let executes = flags & 0o100000 != 0
        let segment = try segment(id)
        try segment.require((isReadOnly ? 0o444 : 0o666) | (executes ? 0o111 : 0), process)
        var protection: MappingProtection = isReadOnly ? .read : [.read, .write]
        if executes { protection.insert(.execute) }
        let space = process.addressSpace!
        if address != 0, !replaces {
            let (end, overflow) = address.addingReportingOverflow(segment.mappableSize)
            guard !overflow, space.isFree(address..<end) else { throw .invalidArgument }
        }
        return try space.map(
            at: address,
            length: UInt64(segment.size),
            protection: protection,
            flags: address == 0 ? .shared : [.shared, .fixed],
            source: .file(
                segment,
                name: SharedAttachment(segment),
                mayWrite: !isReadOnly,
                mayExecute: true
            ),
            offset: 0
        )
    }

    /// What shmctl(2) shows and changes.
    public enum SegmentCommand {
        case remove, lock, unlock
    }

    public static func control(_ id: Int32, _ command: SegmentCommand, _ process: Process)
        throws(Errno)
    {
        let segment = try segment(id)
        try segment.requireOwner(process)
        switch command {
        case .remove: segment.doom()
        case .lock: segment.isLocked = true
        case .unlock: segment.isLocked = false
        }
    }

    /// As IPC_SET.
    public static func setSegment(_ id: Int32, _ pointer: UInt, _ process: Process) throws(Errno) {
        let status = try UserPointer<IPCStatus>(pointer).load()
        let segment = try segment(id)
        try segment.requireOwner(process)
        segment.take(status)
    }

    /// As IPC_STAT, and with a place in the table SHM_STAT and SHM_STAT_ANY. Returns the number.
    public static func storeSegment(
        _ id: Int32,
        isPlace: Bool,
        asAnyone: Bool,
        to pointer: UInt,
        _ process: Process
    ) throws(Errno) -> Int32 {
        let object = isPlace ? segments.object(inPlace: Int(id)) : try segments.object(id)
        guard let object else { throw .invalidArgument }
        if !asAnyone { try object.require(0o444, process) }
        let segment = unsafeDowncast(object, to: SharedSegment.self)
        try UserPointer<SharedSegment.Status>(pointer).store(segment.segmentStatus)
        return isPlace ? segment.id : 0
    }

    /// As SHM_INFO and IPC_INFO. Returns the highest place that is taken.
    public static func storeSegmentLimits(isUse: Bool, to pointer: UInt) throws(Errno) -> Int32 {
        let last = Int32(max(segments.end - 1, 0))
        if isUse {
            let pages = UInt64(SharedSegment.totalPages)
            try UserPointer<InlineArray<6, UInt64>>(pointer).store(
                [UInt64(segments.count), pages, pages, 0, 0, 0]
            )
        } else {
            let count = UInt64(limits.segmentCount)
            try UserPointer<InlineArray<9, UInt64>>(pointer).store(
                [
                    UInt64(limits.segmentSize), 1, count, count, UInt64(limits.segmentPages), 0, 0,
                    0, 0,
                ]
            )
        }
        return last
    }
}

extension AddressSpace {
    /// As shmdt(2). Throws `invalidArgument` when nothing is attached at an address.
    public func detach(at address: UInt64) throws(Errno) {
        guard address & UInt64(pageMask) == 0 else { throw .invalidArgument }
        let position = regions.position(above: address)
        guard !regions.isEnd(position) else { throw .invalidArgument }
        // The first pages of it may have been unmapped.
        let first = regions[position].pointee
        guard first.start >= address, first.offset == first.start - address,
            let name = first.source?.takeUnretainedValue().name,
            let object = name.attachedSegment
        else { throw .invalidArgument }
        let segment = unsafeDowncast(object, to: SharedSegment.self)
        let end = address + segment.mappableSize
        var start = first.start
        while start < end {
            let position = regions.position(above: start)
            guard !regions.isEnd(position) else { return }
            let region = regions[position].pointee
            guard region.start < end else { return }
            let isOfIt = region.source?.takeUnretainedValue().name === name
            if isOfIt, region.offset == region.start - address {
                try unmap(region.start, length: region.length)
            }
            start = region.end
        }
    }
}
