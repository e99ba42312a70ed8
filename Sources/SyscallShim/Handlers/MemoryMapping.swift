import Kernel
import LinuxABI
import LoaderCore

/// mmap(2)
func sysMap(
    _ address: UInt,
    _ length: UInt,
    _ protection: UInt,
    _ flags: UInt,
    _ descriptor: UInt,
    _ offset: UInt
) -> Int {
    answer { () throws(Errno) in
        guard offset & UInt(pageMask) == 0 else { throw .invalidArgument }
        let process = Process.current
        var flags = MappingFlags(rawValue: flags.low)
        var source = MappingSource.anonymous
        if !flags.contains(.anonymous) {
            source = try process.descriptors.file(FileDescriptor(descriptor)).mappingSource()
            // No file is made of huge pages.
            guard !flags.contains(.hugePages) else { throw .invalidArgument }
        }
        flags = try mappingFlags(flags)
        let start = try process.addressSpace.map(
            at: UInt64(address),
            length: UInt64(length),
            protection: MappingProtection(
                rawValue: UInt8(protection.low & ProtectionBits.accesses)
            ),
            flags: flags,
            source: source,
            offset: UInt64(offset)
        )
        return Int(start)
    }
}

/// The flags with the type as one of two bits. Unknown bits are ignored, as mmap(2) has it, but
/// not by MAP_SHARED_VALIDATE.
private func mappingFlags(_ flags: MappingFlags) throws(Errno) -> MappingFlags {
    switch flags.intersection(.type) {
    case .shared, .private: return flags
    case .sharedValidate where !flags.contains(.anonymous):
        guard flags.isSubset(of: .validated) else { throw .notSupported }
        return flags.subtracting(.private)
    default: throw .invalidArgument
    }
}

/// remap_file_pages(2)
func sysShowOtherPages(
    _ address: UInt,
    _ length: UInt,
    _ protection: UInt,
    _ page: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard protection == 0 else { throw .invalidArgument }
        try thread.process.addressSpace.showOtherPages(
            UInt64(address),
            UInt64(length),
            page: UInt64(page)
        )
        return 0
    }
}

/// munmap(2)
func sysUnmap(_ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        try Process.current.addressSpace.unmap(UInt64(address), length: UInt64(length))
        return 0
    }
}

/// mprotect(2)
func sysProtect(_ address: UInt, _ length: UInt, _ protection: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        // The whole register counts: bits above the known ones are refused.
        guard protection <= UInt(UInt32.max) else { throw .invalidArgument }
        try thread.process.addressSpace.protect(
            UInt64(address),
            length: UInt64(length),
            bits: protection.low
        )
        return 0
    }
}

/// mremap(2)
func sysRemap(
    _ address: UInt,
    _ oldLength: UInt,
    _ newLength: UInt,
    _ flags: UInt,
    _ target: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard flags <= UInt(UInt32.max) else { throw .invalidArgument }
        return Int(
            try thread.process.addressSpace.remap(
                UInt64(address),
                from: UInt64(oldLength),
                to: UInt64(newLength),
                flags: RemapFlags(rawValue: flags.low),
                at: UInt64(target)
            )
        )
    }
}

/// brk(2), which answers with the break and never with an error.
func sysBreak(_ address: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        Int(thread.process.addressSpace.setBreak(UInt64(address)))
    }
}

let memoryMappingRows: InlineArray<_, Row> = [
    Row(
        9,
        "mmap",
        sysMap,
        .partial,
        .address,
        .size,
        .protection,
        .mappingFlags,
        .descriptor,
        .offset,
        result: .address,
        note: "no huge pages (MAP_HUGETLB fails with ENOMEM), no mapping of disks (ENODEV)"
    ),
    Row(10, "mprotect", sysProtect, .full, .address, .size, .protection),
    Row(11, "munmap", sysUnmap, .full, .address, .size),
    Row(12, "brk", sysBreak, .full, .address, result: .address),
    Row(
        25,
        "mremap",
        sysRemap,
        .full,
        .address,
        .size,
        .size,
        .remapFlags,
        .address,
        result: .address
    ),
    Row(
        216,
        "remap_file_pages",
        sysShowOtherPages,
        .full,
        .address,
        .size,
        .protection,
        .unsigned,
        .mappingFlags
    ),
    Row(refused: 329, "pkey_mprotect"),
    Row(refused: 330, "pkey_alloc"),
    Row(refused: 331, "pkey_free"),
]
