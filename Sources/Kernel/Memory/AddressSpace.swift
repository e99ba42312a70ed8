import LinuxABI
import LoaderCore
import Platform

/// The mappings of a process.
///
/// The list of regions says what the program may expect; the platform's operations make it so.
/// Private anonymous memory is the platform's own and appears when it is touched. Pages of
/// objects are mapped at once where they exist; the others (holes, what lies beyond a file's
/// end) stay unmapped and come to `handleFault`.
///
/// Every change first checks, then reserves what it needs, then acts: an error leaves the
/// mappings as they were, except where Linux itself stops half way.
public final class AddressSpace {
    var regions = RegionList()

    /// The platform's, of which the active one can be changed: AddressSpace+Copy.swift.
    var platformSpace = PlatformSpace()
    /// Processes that run in it: vfork(2) lets a child run in its parent's.
    var users = 0
    /// What is to be done with pages of it when it is active again.
    var overdue: [OverdueChange] = []
    /// The interrupt that is under way, where a space has a timer of its own.
    var armedTimer = ArmedTimer()
    /// Who keeps account of what the kernel changed in the program's text.
    public var textKeeper: (any TextKeeper)?

    /// Address spaces that live, for objects whose pages vanish. Not owned.
    unowned(unsafe) var nextSpace: AddressSpace?
    nonisolated(unsafe) unowned(unsafe) static var firstSpace: AddressSpace?

    /// Another process's that the kernel looks into: Scheduler.visit.
    nonisolated(unsafe) public internal(set) static var visited: AddressSpace?

    // MARK: Counters, in pages

    public internal(set) var totalPages = 0
    public internal(set) var dataPages = 0
    public internal(set) var stackPages = 0
    public internal(set) var executablePages = 0
    public internal(set) var lockedPages = 0
    public internal(set) var largestTotalPages = 0
    /// Faults that the kernel resolved here.
    public internal(set) var faultCount = 0

    // MARK: Layout

    /// The heap of brk(2): from its start, which is fixed, to the break.
    public internal(set) var heap: Range<UInt64> = 0..<0
    /// The main stack: from the lowest address that it may reach to its top.
    public internal(set) var stackRoom: Range<UInt64> = 0..<0
    /// New mappings lie below.
    var mapTop: UInt64
    /// mlockall(MCL_FUTURE)
    var locksNewMappings = false

    /// The source of the newest mapping of a file, while a region shows it.
    unowned(unsafe) var lastSource: MappedSource?

    /// Makes a keeper for a space whose text nobody has changed yet. Set once at the start.
    nonisolated(unsafe) public static var makeTextKeeper: (() -> any TextKeeper)?

    /// An empty space. `seed` places the stack and the mmap area at random.
    public init(seed: UInt64 = 0) {
        guard Layout.isSound else { panic("the platform's address map leaves no room") }
        var random = seed
        mapTop = 0
        let top = Layout.high.upperBound - (AddressSpace.mix(&random) & Layout.stackRandomness)
        let stackTop = top & ~UInt64(pageMask)
        let limit = AddressSpace.limit(.stack)
        let room = min(max(limit, Layout.smallestStackRoom), Layout.largestStackRoom)
        stackRoom = (stackTop - (room & ~UInt64(pageMask)))..<stackTop
        let gap = AddressSpace.mix(&random) & Layout.mapRandomness & ~UInt64(pageMask)
        mapTop = stackRoom.lowerBound - Layout.stackGuard - (seed == 0 ? 0 : gap)
        nextSpace = AddressSpace.firstSpace
        AddressSpace.firstSpace = self
    }

    deinit {
        leaveList()
        var position = regions.first
        while !regions.isEnd(position) {
            dropSource(regions[position].pointee.source)
            position = regions.next(position)
        }
        regions.removeAll()
        platformSpace.release()
    }

    private func leaveList() {
        guard AddressSpace.firstSpace !== self else {
            AddressSpace.firstSpace = nextSpace
            return
        }
        unowned(unsafe) var cursor = AddressSpace.firstSpace
        while let space = cursor {
            if space.nextSpace === self { space.nextSpace = nextSpace }
            cursor = space.nextSpace
        }
    }

    /// SplitMix64, enough to place things.
    private static func mix(_ state: inout UInt64) -> UInt64 {
        guard state != 0 else { return 0 }
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    // MARK: Limits

    /// The running process's limit in bytes; none while the kernel has no thread yet.
    static func limit(_ resource: ResourceLimits.Resource) -> UInt64 {
        guard cpu_current_thread() != nil else {
            return resource == .stack ? 8 << 20 : ResourceLimit.infinity
        }
        return Process.current.limits[resource].current
    }

    /// Throws `noMemory` when `length` more bytes break RLIMIT_AS, or as data RLIMIT_DATA.
    func checkLimits(_ length: UInt64, isData: Bool) throws(Errno) {
        let pages = length >> 12
        if UInt64(totalPages) + pages > AddressSpace.limit(.addressSpace) >> 12 { throw .noMemory }
        guard isData else { return }
        if UInt64(dataPages) + pages > AddressSpace.limit(.data) >> 12 { throw .noMemory }
    }

    /// Throws when locking `pages` more breaks RLIMIT_MEMLOCK.
    func checkLockLimit(_ pages: Int, or error: Errno) throws(Errno) {
        let limit = AddressSpace.limit(.lockedMemory) >> 12
        if UInt64(lockedPages) + UInt64(pages) > limit { throw error }
    }

    // MARK: Accounting

    @_optimize(speed)
    func account(_ region: Region, _ sign: Int) {
        let pages = region.pages * sign
        totalPages += pages
        largestTotalPages = max(largestTotalPages, totalPages)
        if region.isData { dataPages += pages }
        if region.flags.contains(.growsDown) { stackPages += pages }
        if region.source != nil, region.protection.contains(.execute) { executablePages += pages }
        if region.flags.contains(.locked) { lockedPages += pages }
    }

    // MARK: The list

    /// A region that showed `source` is gone.
    func dropSource(_ source: Unmanaged<MappedSource>?) {
        guard let source, MappedSource.removeRegion(source) else { return }
        if let lastSource, Unmanaged.passUnretained(lastSource).toOpaque() == source.toOpaque() {
            self.lastSource = nil
        }
        source.release()
    }

    /// Throws `noMemory` unless `splits` more regions may exist, and reserves memory for them.
    func reserveRegions(_ splits: Int = 2) throws(Errno) {
        guard regions.count + splits <= Layout.largestMappingCount else { throw .noMemory }
        try regions.reserve()
    }

    /// Makes a region begin at `address` if one lies around it.
    func split(at address: UInt64) {
        guard let position = regions.find(address) else { return }
        let region = regions[position]
        guard region.pointee.start < address else { return }
        var upper = region.pointee
        upper.offset = upper.offset(of: address)
        upper.start = address
        region.pointee.end = address
        regions.boundsChanged(position)
        MappedSource.addRegion(upper.source)
        _ = regions.insert(upper, at: regions.next(position))
    }

    /// Adds a region where there is none, joined with its neighbours. After `reserveRegions`.
    @_optimize(speed)
    func insert(_ region: Region) {
        insert(region, at: regions.position(above: region.start))
    }

    /// The same where the first region above it is known.
    @_optimize(speed)
    func insert(_ region: Region, at position: RegionList.Position) {
        var region = region
        if region.protection.contains(.write) { region.flags.insert(.wasWritable) }
        account(region, 1)
        MappedSource.addRegion(region.source)
        joinNeighbours(regions.insert(region, at: position))
    }

    /// Joins a region with those on both sides where they are alike.
    @_optimize(speed)
    func joinNeighbours(_ position: RegionList.Position) {
        let next = regions.next(position)
        if !regions.isEnd(next) { _ = join(position, with: next) }
        if let previous = regions.previous(position) { _ = join(previous, with: position) }
    }

    /// Joins what is alike from the region before `start` to the one at `end`.
    func joinRegions(from start: UInt64, to end: UInt64) {
        var position = regions.position(above: start > 0 ? start - 1 : 0)
        while !regions.isEnd(position), regions[position].pointee.start <= end {
            let next = regions.next(position)
            guard !regions.isEnd(next) else { return }
            if !join(position, with: next) { position = next }
        }
    }

    /// Joins `next` into `position` when it only goes on there.
    @_optimize(speed)
    private func join(_ position: RegionList.Position, with next: RegionList.Position) -> Bool {
        let region = regions[position]
        let following = regions[next].pointee
        guard region.pointee.continues(in: following) else { return false }
        region.pointee.end = following.end
        region.pointee.flags.formUnion(following.flags)
        regions.boundsChanged(position)
        dropSource(following.source)
        _ = regions.remove(at: next)
        return true
    }

    /// Calls `body` for each region that overlaps a range, which must already be split there.
    func forEachRegion(
        from start: UInt64,
        to end: UInt64,
        _ body: (UnsafeMutablePointer<Region>) -> Void
    ) {
        var position = regions.position(above: start)
        while !regions.isEnd(position), regions[position].pointee.start < end {
            body(regions[position])
            position = regions.next(position)
        }
    }

    /// Whether regions of the program cover all of a range.
    func isCovered(_ start: UInt64, _ end: UInt64) -> Bool { coveredEnd(start, end) >= end }

    /// How far from `start` the program's regions reach without a gap, at most to `end`.
    func coveredEnd(_ start: UInt64, _ end: UInt64) -> UInt64 {
        var cursor = start
        var position = regions.position(above: start)
        while cursor < end, !regions.isEnd(position) {
            let region = regions[position].pointee
            guard region.start <= cursor, !region.isKernelOwned else { break }
            cursor = region.end
            position = regions.next(position)
        }
        return min(cursor, end)
    }
}

/// A page-aligned range that a call names. Throws `invalidArgument` when `start` is not aligned.
struct PageRange {
    let start: UInt64
    let end: UInt64

    /// Rounds the length up; throws `overflow` when the range leaves the address space.
    init(_ start: UInt64, _ length: UInt64, overflow: Errno = .noMemory) throws(Errno) {
        guard start & UInt64(pageMask) == 0 else { throw .invalidArgument }
        let rounded = (length &+ UInt64(pageMask)) & ~UInt64(pageMask)
        let (end, wraps) = start.addingReportingOverflow(rounded)
        guard rounded >= length, !wraps else { throw overflow }
        self.start = start
        self.end = end
    }

    var isEmpty: Bool { start == end }
    var length: UInt64 { end - start }
}
