import Platform

/// Physical memory as the kernel sees it: the first 4 GiB at DIRECT_MAP, and what `MachineMemory` has
/// above them.
enum Physical {
    /// What is to be added to the address of memory above 4 GiB.
    nonisolated(unsafe) static var startOfHigh = UInt64(DIRECT_MAP)

    static func pointer(_ address: UInt64) -> UnsafeMutableRawPointer {
        let start = address >> 32 == 0 ? UInt64(DIRECT_MAP) : startOfHigh
        return UnsafeMutableRawPointer(bitPattern: UInt(address &+ start))!
    }

    /// Below 4 GiB, where all is mapped; nil for what is not there wholly.
    static func low(_ address: UInt64, _ size: Int) -> UnsafeMutableRawPointer? {
        let mapped: UInt64 = 4 << 30
        guard size > 0, address < mapped, UInt64(size) <= mapped - address else { return nil }
        return pointer(address)
    }

    static func words(_ address: UInt64) -> UnsafeMutablePointer<UInt64> {
        pointer(address).assumingMemoryBound(to: UInt64.self)
    }

    /// Where something of the image lies.
    static func address(ofImage address: UInt64) -> UInt64 {
        address - UInt64(IMAGE) + UInt64(IMAGE_PHYSICAL)
    }

    // MARK: Protection

    private static var largeSize: UInt64 { 2 << 20 }

    /// Text may be executed, constants be read, variables be written, and nothing more.
    ///
    /// Kernel data is a user's: pages that ring 0 may use only with AC set (SMAP, SDM volume 3, section
    /// 4.6), which the kernel sets and the program does not. The program's own are the supervisor's.
    static func protectImage() {
        var address = entry_places.image
        var entry = machine_tables.image
        while address < entry_places.image_end {
            entry.pointee |= UInt64(PAGE_GLOBAL)
            if address < machine_tables.variables { entry.pointee &= ~UInt64(PAGE_WRITABLE) }
            if address >= machine_tables.constants { entry.pointee |= UInt64(PAGE_NO_EXECUTE) }
            let isProcessors =
                address >= machine_tables.processor && address < machine_tables.processor_end
            if address >= machine_tables.variables, !isProcessors {
                entry.pointee |= UInt64(PAGE_USER)
            }
            if address == machine_tables.boot_stack_guard { entry.pointee = 0 }
            address += 4096
            entry += 1
        }
        pages_invalidate_all()
    }

    /// Makes one page of the kernel's memory fault on every access.
    static func guardPage(_ page: UnsafeMutableRawPointer) -> Int64 {
        let address = UInt64(UInt(bitPattern: page))
        let usable = UInt64(PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER)
        let slot = directory(address) + Int(address / largeSize & 511)
        if slot.pointee & UInt64(PAGE_LARGE) != 0 {
            guard let table = MachineMemory.takeFrame() else { return -12 }
            let start = slot.pointee & addresses & ~(largeSize - 1)
            let entries = words(table)
            for index in 0..<512 {
                entries[index] = start + UInt64(index) << 12 | UInt64(PAGE_NO_EXECUTE) | usable
            }
            slot.pointee = table | usable
        }
        words(slot.pointee & addresses)[Int(address >> 12) & 511] = 0
        pages_invalidate_all()
        return 0
    }

    private static var addresses: UInt64 { 0x000f_ffff_ffff_f000 }

    /// The table that maps the gigabyte around an address of the kernel's memory by 2 MiB each.
    private static func directory(_ address: UInt64) -> UnsafeMutablePointer<UInt64> {
        let root = words(self.address(ofImage: machine_tables.root))
        let pointers = words(root[Int(address >> 39) & 511] & addresses)
        return words(pointers[Int(address >> 30) & 511] & addresses)
    }
}
