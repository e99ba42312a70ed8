import LinuxABI

/// The names of a directory: a hash index over a list in the order of creation.
///
/// A position of readdir is the sequence number of a name, so that removing and compacting never
/// makes a reader skip one.
struct EntryTable: ~Copyable {
    private struct Record {
        var sequence: UInt64
        var dentry: Unmanaged<Dentry>?
    }

    private static let emptySlot = UInt32.max
    private static let removedSlot = UInt32.max - 1
    private static let smallest = 8

    private var records: UnsafeMutablePointer<Record>
    private var recordCapacity: Int
    private var recordCount = 0
    private var slots: UnsafeMutablePointer<UInt32>
    private var mask: Int
    private var usedSlots = 0
    /// Names, whiteouts included.
    private(set) var count = 0
    /// Positions 0 and 1 are `.` and `..`.
    private var nextSequence: UInt64 = 2

    init() throws(Errno) {
        let smallest = EntryTable.smallest
        let memory = try KernelBuffer.allocate(smallest * MemoryLayout<Record>.stride)
        let places: UnsafeMutablePointer<UInt32>
        do throws(Errno) {
            places = try EntryTable.makeSlots(smallest * 2)
        } catch {
            KernelBuffer.free(memory)
            throw error
        }
        records = memory.assumingMemoryBound(to: Record.self)
        recordCapacity = smallest
        slots = places
        mask = smallest * 2 - 1
    }

    deinit {
        for index in 0..<recordCount { records[index].dentry?.release() }
        KernelBuffer.free(records)
        KernelBuffer.free(slots)
    }

    private static func makeSlots(_ count: Int) throws(Errno) -> UnsafeMutablePointer<UInt32> {
        let slots = try KernelBuffer.allocate(count * 4).assumingMemoryBound(to: UInt32.self)
        slots.initialize(repeating: emptySlot, count: count)
        return slots
    }

    /// Lends the dentry of a name.
    @inline(__always)
    func find(_ name: Name) -> Unmanaged<Dentry>? {
        var slot = Int(name.hash) & mask
        while true {
            let index = slots[slot]
            if index == EntryTable.emptySlot { return nil }
            if index != EntryTable.removedSlot, let dentry = records[Int(index)].dentry,
                dentry._withUnsafeGuaranteedRef({
                    $0.hash == name.hash && name.equals($0.name, $0.nameCount)
                })
            {
                return dentry
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// Adds a dentry whose name is not there. Throws `noMemory`, changing nothing.
    mutating func insert(_ dentry: Dentry) throws(Errno) {
        if recordCount == recordCapacity || (usedSlots + 1) * 4 > (mask + 1) * 3 { try rebuild() }
        dentry.sequence = nextSequence
        nextSequence += 1
        records[recordCount] = Record(
            sequence: dentry.sequence,
            dentry: Unmanaged.passRetained(dentry)
        )
        place(UInt32(recordCount), dentry.hash)
        recordCount += 1
        count += 1
    }

    /// Makes room so that the next insertion cannot fail.
    mutating func reserve() throws(Errno) {
        if recordCount == recordCapacity || (usedSlots + 1) * 4 > (mask + 1) * 3 { try rebuild() }
    }

    private mutating func place(_ index: UInt32, _ hash: UInt32) {
        var slot = Int(hash) & mask
        while slots[slot] < EntryTable.removedSlot { slot = (slot &+ 1) & mask }
        if slots[slot] == EntryTable.emptySlot { usedSlots += 1 }
        slots[slot] = index
    }

    /// Takes a dentry out.
    mutating func remove(_ dentry: Dentry) {
        var slot = Int(dentry.hash) & mask
        while slots[slot] != EntryTable.emptySlot {
            let index = slots[slot]
            if index != EntryTable.removedSlot,
                let found = records[Int(index)].dentry, found.toOpaque() == opaque(dentry)
            {
                slots[slot] = EntryTable.removedSlot
                records[Int(index)].dentry = nil
                count -= 1
                if count == 0 { empty() }
                return found.release()
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// Takes the newest dentry out of a table that is given up: its index is not kept.
    mutating func takeLast() -> Dentry? {
        while recordCount > 0 {
            recordCount -= 1
            guard let dentry = records[recordCount].dentry else { continue }
            records[recordCount].dentry = nil
            count -= 1
            return dentry.takeRetainedValue()
        }
        return nil
    }

    /// Takes out the names that nobody else holds, and where nothing is mounted; how many there were.
    mutating func dropUnused() -> Int {
        var dropped = 0
        for index in 0..<recordCount {
            guard let held = records[index].dentry else { continue }
            records[index].dentry = nil
            var dentry = held.takeRetainedValue()
            let isUnused = isKnownUniquelyReferenced(&dentry) && dentry.mounted == nil
            records[index].dentry = Unmanaged.passRetained(dentry)
            guard isUnused else { continue }
            remove(dentry)
            dropped += 1
        }
        return dropped
    }

    private func opaque(_ dentry: Dentry) -> UnsafeMutableRawPointer {
        Unmanaged.passUnretained(dentry).toOpaque()
    }

    private mutating func empty() {
        recordCount = 0
        usedSlots = 0
        slots.update(repeating: EntryTable.emptySlot, count: mask + 1)
    }

    /// Drops the gaps and doubles the tables when they are full without them.
    private mutating func rebuild() throws(Errno) {
        var capacity = EntryTable.smallest
        while capacity < (count + 1) * 3 / 2 { capacity *= 2 }
        let newRecords = try KernelBuffer.allocate(capacity * MemoryLayout<Record>.stride)
            .assumingMemoryBound(to: Record.self)
        let newSlots: UnsafeMutablePointer<UInt32>
        do throws(Errno) {
            newSlots = try EntryTable.makeSlots(capacity * 2)
        } catch {
            KernelBuffer.free(newRecords)
            throw error
        }
        let old = records
        let oldCount = recordCount
        KernelBuffer.free(slots)
        slots = newSlots
        mask = capacity * 2 - 1
        records = newRecords
        recordCapacity = capacity
        recordCount = 0
        usedSlots = 0
        for index in 0..<oldCount {
            guard let dentry = old[index].dentry else { continue }
            records[recordCount] = old[index]
            place(UInt32(recordCount), dentry._withUnsafeGuaranteedRef { $0.hash })
            recordCount += 1
        }
        KernelBuffer.free(old)
    }

    /// The first dentry with an inode at or after a position.
    func next(from position: UInt64) -> Dentry? {
        var low = 0
        var high = recordCount
        while low < high {
            let middle = (low + high) / 2
            if records[middle].sequence < position { low = middle + 1 } else { high = middle }
        }
        while low < recordCount {
            if let dentry = records[low].dentry?.takeUnretainedValue(), dentry.inode != nil {
                return dentry
            }
            low += 1
        }
        return nil
    }
}
