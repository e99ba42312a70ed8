/// One function of a PCI bus, by its configuration space (PCI 3.0, chapter 6). The platform brings
/// the access to it.
public protocol PCIFunction {
    /// Reads four bytes at an offset that is a multiple of four, less than 256.
    func load(_ offset: Int) -> UInt32
    func store(_ offset: Int, _ value: UInt32)
}

extension PCIFunction {
    var identity: UInt32 { load(0) }

    func load8(_ offset: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: load(offset & ~3) >> (UInt32(offset & 3) * 8))
    }

    func load16(_ offset: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: load(offset & ~3) >> (UInt32(offset & 2) * 8))
    }

    /// Lets the function answer in memory and reach memory itself; it may send messages, but raise no
    /// line (section 6.2.2).
    func enable() {
        let memoryAndMaster: UInt32 = 0x6
        let noLine: UInt32 = 0x400
        store(4, load(4) & 0xffff | memoryAndMaster | noLine)
    }

    /// Calls `body` with each capability and where it begins (section 6.7).
    func forEachCapability(_ body: (UInt8, Int) -> Void) {
        let hasList: UInt16 = 0x10
        guard load16(6) & hasList != 0 else { return }
        var offset = Int(load8(0x34) & ~3)
        // As many as there is room for: a list may lead back into itself.
        for _ in 0..<48 where offset >= 0x40 {
            body(load8(offset), offset)
            offset = Int(load8(offset + 1) & ~3)
        }
    }

    /// Where a base address register puts its memory; nil for one of ports, or none (6.2.5.1).
    func memoryAddress(_ register: UInt8) -> UInt64? {
        guard register < 6 else { return nil }
        let offset = 0x10 + 4 * Int(register)
        let low = load(offset)
        guard low & 1 == 0 else { return nil }
        let isWide = low >> 1 & 3 == 2
        guard !isWide || register < 5 else { return nil }
        let high = isWide ? load(offset + 4) : 0
        let address = UInt64(high) << 32 | UInt64(low & ~15)
        return address == 0 ? nil : address
    }
}
