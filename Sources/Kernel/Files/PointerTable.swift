import LinuxABI

/// A hash table of unowned pointers by a number and an address: own code, no Dictionary.
struct PointerTable: ~Copyable {
    private struct Slot {
        var number: UInt64
        var address: UInt
        /// Zero: free. One: removed.
        var value: UInt
    }

    private var slots: UnsafeMutablePointer<Slot>?
    private var mask = -1
    private var used = 0
    private(set) var count = 0

    deinit { KernelBuffer.free(slots) }

    private static func hash(_ number: UInt64, _ address: UInt) -> Int {
        let mixed = (number ^ UInt64(address) >> 4) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 32)
    }

    subscript(number: UInt64, address: UInt) -> UnsafeMutableRawPointer? {
        guard let slots else { return nil }
        var index = PointerTable.hash(number, address) & mask
        while slots[index].value != 0 {
            let slot = slots[index]
            if slot.number == number, slot.address == address, slot.value > 1 {
                return UnsafeMutableRawPointer(bitPattern: slot.value)
            }
            index = (index + 1) & mask
        }
        return nil
    }

    /// Adds a key that is not there.
    mutating func insert(_ number: UInt64, _ address: UInt, _ value: UnsafeMutableRawPointer)
        throws(Errno)
    {
        if (used + 1) * 4 > (mask + 1) * 3 { try rebuild() }
        place(Slot(number: number, address: address, value: UInt(bitPattern: value)))
        count += 1
    }

    private mutating func place(_ slot: Slot) {
        var index = PointerTable.hash(slot.number, slot.address) & mask
        while slots![index].value > 1 { index = (index + 1) & mask }
        if slots![index].value == 0 { used += 1 }
        slots![index] = slot
    }

    mutating func remove(_ number: UInt64, _ address: UInt) {
        guard let slots else { return }
        var index = PointerTable.hash(number, address) & mask
        while slots[index].value != 0 {
            if slots[index].number == number, slots[index].address == address,
                slots[index].value > 1
            {
                slots[index].value = 1
                count -= 1
                return
            }
            index = (index + 1) & mask
        }
    }

    private mutating func rebuild() throws(Errno) {
        var capacity = 16
        while capacity < (count + 1) * 2 { capacity *= 2 }
        let new = try KernelBuffer.allocateZeroed(capacity * MemoryLayout<Slot>.stride)
            .assumingMemoryBound(to: Slot.self)
        let old = slots
        let oldCount = mask + 1
        slots = new
        mask = capacity - 1
        used = 0
        for index in 0..<oldCount where old![index].value > 1 { place(old![index]) }
        KernelBuffer.free(old)
    }

    func forEach(_ body: (UnsafeMutableRawPointer) -> Void) {
        for index in 0..<(mask + 1) where slots![index].value > 1 {
            body(UnsafeMutableRawPointer(bitPattern: slots![index].value)!)
        }
    }
}
