import Platform

/// What the boot loader told: memory, the command line, and the module that `unirun` packed.
struct BootLoader {
    /// Physical memory that may be used, in bytes, in ascending order.
    private(set) var memory = InlineArray<8, Range<UInt64>>(repeating: 0..<0)
    private(set) var memoryCount = 0
    /// Whether memory may hold what firmware left there: a hypervisor that starts the kernel itself
    /// gives it zeros.
    private(set) var hasUsedMemory = false
    /// Whether firmware ran before the hypervisor's own way to start a kernel, as on QEMU's q35: it
    /// leaves ACPI's tables.
    private(set) var hasFirmware = false
    /// The first module, in physical memory.
    private(set) var module: Range<UInt64> = 0..<0

    /// Where the loader says that the firmware's tables begin (ACPI's RSDP); zero when it does not.
    private(set) var systemDescription: UInt64 = 0

    /// Text that the loader was given for the kernel; in the loader's memory.
    private(set) var commandLine = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Reads the structure of the protocol that the magic numbers name.
    init(magic: UInt32, information: UInt32) {
        let multiboot2: UInt32 = 0x36d7_6289
        let startInformation: UInt32 = 0x336e_c578
        let pointer = Physical.pointer(UInt64(information))
        if magic == multiboot2 {
            hasUsedMemory = true
            readMultiboot2(pointer, UInt64(information))
        } else if pointer.load(as: UInt32.self) == startInformation {
            readStartInformation(pointer)
        } else {
            die("the boot loader speaks neither PVH nor multiboot2")
        }
    }

    /// Xen's `struct hvm_start_info`, version 1.
    private mutating func readStartInformation(_ pointer: UnsafeRawPointer) {
        let moduleCount = pointer.load(fromByteOffset: 12, as: UInt32.self)
        let modules = pointer.load(fromByteOffset: 16, as: UInt64.self)
        if moduleCount > 0 {
            let entry = Physical.pointer(modules)
            let start = entry.load(as: UInt64.self)
            module = start..<start &+ entry.load(fromByteOffset: 8, as: UInt64.self)
        }
        let line = pointer.load(fromByteOffset: 24, as: UInt64.self)
        if line != 0 { readCommandLine(Physical.pointer(line)) }
        systemDescription = pointer.load(fromByteOffset: 32, as: UInt64.self)
        hasFirmware = systemDescription != 0
        guard pointer.load(fromByteOffset: 4, as: UInt32.self) >= 1 else {
            die("the boot loader tells no memory map")
        }
        let map = Physical.pointer(pointer.load(fromByteOffset: 40, as: UInt64.self))
        let count = Int(pointer.load(fromByteOffset: 48, as: UInt32.self))
        for index in 0..<count {
            let entry = map + index * 24
            add(
                start: entry.load(as: UInt64.self),
                length: entry.load(fromByteOffset: 8, as: UInt64.self),
                type: entry.load(fromByteOffset: 16, as: UInt32.self)
            )
        }
    }

    /// Multiboot2's boot information, section 3.6: tags, each padded to 8 bytes.
    private mutating func readMultiboot2(_ pointer: UnsafeRawPointer, _ information: UInt64) {
        let size = Int(pointer.load(as: UInt32.self))
        var offset = 8
        while offset + 8 <= size {
            let tag = pointer + offset
            let length = Int(tag.load(fromByteOffset: 4, as: UInt32.self))
            switch tag.load(as: UInt32.self) {
            case 0: return
            case 1: readCommandLine(tag + 8)
            case 3 where module.isEmpty:
                module =
                    UInt64(
                        tag.load(fromByteOffset: 8, as: UInt32.self)
                    )..<UInt64(
                        tag.load(fromByteOffset: 12, as: UInt32.self)
                    )
            case 6: readMultiboot2Map(tag, length)
            // Copies of the RSDP, of ACPI 1 and of all since.
            case 14 where systemDescription == 0, 15:
                systemDescription = UInt64(information) + UInt64(offset) + 8
            default: break
            }
            offset += (max(length, 8) + 7) & ~7
        }
    }

    private mutating func readCommandLine(_ text: UnsafeRawPointer) {
        let limit = 4096
        var length = 0
        while length < limit, text.load(fromByteOffset: length, as: UInt8.self) != 0 { length += 1 }
        commandLine = UnsafeRawBufferPointer(start: text, count: length)
    }

    private mutating func readMultiboot2Map(_ tag: UnsafeRawPointer, _ length: Int) {
        let entrySize = Int(tag.load(fromByteOffset: 8, as: UInt32.self))
        guard entrySize >= 24 else { return }
        var offset = 16
        while offset + entrySize <= length {
            add(
                start: tag.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                length: tag.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self),
                type: tag.loadUnaligned(fromByteOffset: offset + 16, as: UInt32.self)
            )
            offset += entrySize
        }
    }

    /// Type 1 is memory in both protocols; the rest belongs to devices and firmware.
    private mutating func add(start: UInt64, length: UInt64, type: UInt32) {
        guard type == 1, length > 0, memoryCount < memory.count else { return }
        memory[memoryCount] = start..<start &+ length
        memoryCount += 1
    }
}
