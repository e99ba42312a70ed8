import Platform

/// Physical memory as the kernel sees it: all of it at one place.
enum Physical {
    static func pointer(_ address: UInt64) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(address &+ UInt64(DIRECT_MAP)))!
    }

    static func words(_ address: UInt64) -> UnsafeMutablePointer<UInt64> {
        pointer(address).assumingMemoryBound(to: UInt64.self)
    }

    static func address(_ pointer: UnsafeRawPointer) -> UInt64 {
        UInt64(UInt(bitPattern: pointer)) &- UInt64(DIRECT_MAP)
    }

    // MARK: Protection

    private static var present: UInt64 { 1 }
    private static var writable: UInt64 { 2 }
    private static var large: UInt64 { 1 << 7 }
    private static var global: UInt64 { 1 << 8 }
    private static var noExecute: UInt64 { 1 << 63 }
    private static var largeSize: UInt64 { 2 << 20 }

    /// Text may be executed, constants be read, variables be written, and nothing more.
    static func protectImage() {
        var address = entry_places.image
        var entry = machine_tables.image
        while address < entry_places.image_end {
            entry.pointee |= global
            if address < machine_tables.variables { entry.pointee &= ~writable }
            if address >= machine_tables.constants { entry.pointee |= noExecute }
            if address == machine_tables.boot_stack_guard { entry.pointee = 0 }
            address += 4096
            entry += 1
        }
        pages_invalidate_all()
    }

    /// Makes one page of the direct map fault on every access.
    static func guardPage(_ page: UnsafeMutableRawPointer) -> Int64 {
        let address = self.address(page)
        let slot = machine_tables.direct + Int(address / largeSize)
        if slot.pointee & large != 0 {
            guard let table = MachineMemory.takeFrame() else { return -12 }
            let start = address & ~(largeSize - 1)
            let entries = words(table)
            for index in 0..<512 {
                entries[index] = start + UInt64(index) << 12 | noExecute | writable | present
            }
            slot.pointee = table | writable | present
        }
        words(slot.pointee & ~0xfff)[Int(address >> 12) & 511] = 0
        pages_invalidate_all()
        return 0
    }
}
