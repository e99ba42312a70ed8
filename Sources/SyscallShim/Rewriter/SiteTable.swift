/// The sites of one process, found by their address or by an address in their stub.
struct SiteTable: ~Copyable {
    /// Sites that are remembered; more are served, but trap each time and are not counted singly.
    static let limit = 4096
    private static let initialSlots = 256

    var records: GrowableBuffer<SiteRecord>
    /// Indices of records with a stub, by the stub's address.
    private var byStub: GrowableBuffer<UInt32>
    /// The same by their site's address.
    private var bySite: GrowableBuffer<UInt32>
    /// Open addressing: index + 1 of a record, 0 where there is none.
    private var slots: UnsafeMutablePointer<UInt32>
    private var slotMask: Int
    private var occupied = 0
    private var unused = 0

    init() {
        records = GrowableBuffer(capacity: 32, limit: SiteTable.limit)
        byStub = GrowableBuffer(capacity: 32, limit: SiteTable.limit)
        bySite = GrowableBuffer(capacity: 32, limit: SiteTable.limit)
        slots = .allocate(capacity: SiteTable.initialSlots)
        slots.initialize(repeating: 0, count: SiteTable.initialSlots)
        slotMask = SiteTable.initialSlots - 1
    }

    init(copying other: borrowing SiteTable) {
        records = GrowableBuffer(copying: other.records)
        byStub = GrowableBuffer(copying: other.byStub)
        bySite = GrowableBuffer(copying: other.bySite)
        slots = .allocate(capacity: other.slotMask + 1)
        slots.initialize(from: other.slots, count: other.slotMask + 1)
        slotMask = other.slotMask
        occupied = other.occupied
        unused = other.unused
    }

    deinit { slots.deallocate() }

    var isFull: Bool { records.isFull && unused == 0 }

    /// The record of the site at `address`.
    func find(_ address: UInt64) -> Int? {
        var slot = hash(address)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if records[index].address == address { return index }
            slot = (slot + 1) & slotMask
        }
        return nil
    }

    /// Adds a record for a site that has none; the table must not be full.
    mutating func add(_ record: SiteRecord) -> Int {
        if (occupied + 1) * 2 > slotMask + 1 { grow() }
        var index = records.count
        if unused > 0 {
            index = 0
            while records[index].state != .unused { index += 1 }
            unused -= 1
            records[index] = record
        } else {
            records.append(record)
        }
        link(index)
        return index
    }

    /// Makes the record's stub and its patch findable.
    mutating func addStub(_ index: Int) {
        let (stub, site) = (records[index].stub, records[index].address)
        let number = UInt32(truncatingIfNeeded: index)
        let place = position(byStub) { $0.stub < stub }
        byStub.insert(number, at: place)
        let neighbour = position(bySite) { $0.address < site }
        bySite.insert(number, at: neighbour)
    }

    /// The first place in a sorted list whose record does not lie below.
    @inline(__always)
    private func position(
        _ list: borrowing GrowableBuffer<UInt32>,
        _ isBelow: (borrowing SiteRecord) -> Bool
    ) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if isBelow(records[Int(list[middle])]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// How far what is written for a site lies before its address, and behind: an island at most.
    private static let reachBefore: UInt64 = 32
    private static let reachBehind: UInt64 = 160

    /// Calls `body` with the records of patched sites that may have bytes in `range`.
    @inline(__always)
    func forEachPatched(near range: Range<UInt64>, _ body: (borrowing SiteRecord) -> Void) {
        let low = range.lowerBound - min(range.lowerBound, SiteTable.reachBehind)
        let (high, overflow) = range.upperBound.addingReportingOverflow(SiteTable.reachBefore)
        var place = position(bySite) { $0.address < low }
        while place < bySite.count {
            let index = Int(bySite[place])
            guard overflow || records[index].address < high else { return }
            if records[index].state == .patched { body(records[index]) }
            place += 1
        }
    }

    /// The record whose stub holds `address`.
    func findStub(_ address: UInt64) -> Int? {
        let place = position(byStub) { $0.stub <= address }
        guard place > 0 else { return nil }
        let index = Int(byStub[place - 1])
        let offset = address &- records[index].stub
        return offset < UInt64(records[index].stubLength) ? index : nil
    }

    /// Drops the record from the search by site; one with a stub is kept for its threads.
    mutating func retire(_ index: Int) {
        if records[index].state == .patched {
            records[index].state = .retired
        } else {
            records[index].state = .unused
            unused += 1
        }
    }

    mutating func removeAll() {
        records.removeAll()
        byStub.removeAll()
        bySite.removeAll()
        unused = 0
        rebuild()
    }

    /// Fills the slots anew from the records that are searched by site.
    mutating func rebuild() {
        slots.update(repeating: 0, count: slotMask + 1)
        occupied = 0
        for index in 0..<records.count {
            let state = records[index].state
            if state == .patched || state == .refused { link(index) }
        }
    }

    private mutating func link(_ index: Int) {
        var slot = hash(records[index].address)
        while slots[slot] != 0 { slot = (slot + 1) & slotMask }
        slots[slot] = UInt32(truncatingIfNeeded: index + 1)
        occupied += 1
    }

    private mutating func grow() {
        let capacity = (slotMask + 1) * 2
        slots.deallocate()
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
        slotMask = capacity - 1
        rebuild()
    }

    /// Fibonacci hashing: the low bits of aligned functions' sites are alike.
    private func hash(_ address: UInt64) -> Int {
        Int(truncatingIfNeeded: (address &* 0x9e37_79b9_7f4a_7c15) >> 40) & slotMask
    }
}
