import Kernel
import LinuxABI

/// A string of the program's, in the kernel's memory; a page at most.
private struct CopiedString: ~Copyable {
    private let buffer: KernelBuffer
    private let count: Int

    /// An address of zero is a string that is not there.
    init(_ address: UInt) throws(Errno) {
        let memory = try KernelBuffer(address == 0 ? 1 : 4096)
        count =
            address == 0
            ? -1
            : try UserMemory.readString(at: address, into: memory.bytes, tooLong: .invalidArgument)
        buffer = memory
    }

    /// nil when it is not there.
    var bytes: UnsafeRawBufferPointer? {
        guard count >= 0 else { return nil }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[..<count])
    }
}

/// mount(2)
func sysMount(
    _ source: UInt,
    _ target: UInt,
    _ type: UInt,
    _ flags: UInt,
    _ data: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let typeText = try CopiedString(type)
        let sourceText = try CopiedString(source)
        let options = try CopiedString(data)
        let (typeBytes, sourceBytes, optionBytes) = (
            typeText.bytes, sourceText.bytes, options.bytes
        )
        let process = thread.process!
        return try withUserPath(target) { (path) throws(Errno) in
            try VFS.mount(
                sourceBytes,
                on: VFS.Place(path),
                type: typeBytes,
                flags: flags.low,
                options: optionBytes ?? UnsafeRawBufferPointer(start: nil, count: 0),
                process
            )
            return 0
        }
    }
}

/// umount2(2)
func sysUnmount(_ target: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        guard flags.low & ~15 == 0 else { throw .invalidArgument }
        return try withUserPath(target) { (path) throws(Errno) in
            let flags = VFS.UnmountFlags(rawValue: flags.low)
            try VFS.unmount(VFS.Place(path), thread.process, flags)
            return 0
        }
    }
}

/// pivot_root(2)
func sysPivotRoot(_ new: UInt, _ old: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try withUserPath(new) { (new) throws(Errno) in
            try withUserPath(old) { (old) throws(Errno) in
                try VFS.pivotRoot(VFS.Place(new), VFS.Place(old), thread.process)
                return 0
            }
        }
    }
}

/// ustat(2)
func sysDeviceStatus(_ device: UInt, _ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        let status = try VFS.deviceStatus(UInt64(device.low))
        // `struct ustat`: free blocks, free inodes, two names that are empty.
        try UserPointer<InlineArray<4, UInt64>>(record).store(
            [status.freeBlocks & 0xffff_ffff, status.freeFiles, 0, 0]
        )
        return 0
    }
}

/// sysfs(2)
func sysFilesystemTypes(_ option: UInt, _ first: UInt, _ second: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { () throws(Errno) in
        let types = VFS.filesystemTypes
        switch option.low {
        case 1:
            let name = try CopiedString(first)
            guard let bytes = name.bytes else { throw .badAddress }
            for index in types.indices where bytes.equals(types[index]) { return index }
            throw .invalidArgument
        case 2:
            guard first < UInt(types.count) else { throw .invalidArgument }
            let name = types[Int(first)]
            let bytes = UnsafeRawBufferPointer(
                start: name.utf8Start,
                count: name.utf8CodeUnitCount
            )
            try UserMemory.write(bytes, at: second)
            try UserPointer<UInt8>(second &+ UInt(bytes.count)).store(0)
            return 0
        case 3: return types.count
        default: throw .invalidArgument
        }
    }
}

/// name_to_handle_at(2)
func sysMakeHandle(
    _ directory: UInt,
    _ path: UInt,
    _ handle: UInt,
    _ mount: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let flags = try pathFlags(flags, allowing: [.follow, .emptyPath])
        var resolving: PathFlags = flags.contains(.follow) ? [] : .noFollow
        if flags.contains(.emptyPath) { resolving.insert(.emptyPath) }
        return try withUserPath(path) { (path) throws(Errno) in
            let place = VFS.Place(directory.int, path)
            let made = try FileHandle.make(place, thread.process, resolving)
            let room = try UserPointer<UInt32>(handle).load()
            guard room <= FileHandle.largestSize else { throw .invalidArgument }
            let fits = room >= UInt32(FileHandle.size)
            try UserPointer<Int32>(mount).store(made.mount)
            try UserPointer<UInt32>(handle).store(UInt32(FileHandle.size))
            // FILEID_INVALID
            try UserPointer<Int32>(handle &+ 4).store(fits ? FileHandle.type : 0xff)
            guard fits else { throw .valueTooLarge }
            try UserPointer<FileHandle>(handle &+ 8).store(made.handle)
            return 0
        }
    }
}

/// open_by_handle_at(2)
func sysOpenHandle(_ directory: UInt, _ handle: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let process = thread.process!
        guard process.credentials.effectiveUser == 0 else { throw .notPermitted }
        let size = try UserPointer<UInt32>(handle).load()
        guard size > 0, size <= FileHandle.largestSize else { throw .invalidArgument }
        let type = try UserPointer<Int32>(handle &+ 4).load()
        if directory.int != PathFlags.workingDirectory {
            _ = try process.descriptors.file(FileDescriptor(directory))
        }
        guard size >= UInt32(FileHandle.size), type == FileHandle.type else { throw .staleHandle }
        let flags = OpenFlags(rawValue: flags.low).intersection(.all)
        let found = try UserPointer<FileHandle>(handle &+ 8).load()
        let file = try found.open(near: directory.int, flags, process)
        let closesOnExec = flags.contains(.closeOnExec)
        return Int(try process.descriptors.insert(file, closesOnExec: closesOnExec).rawValue)
    }
}

/// Mounting, and files by handle.
let mountRows: InlineArray<_, Row> = [
    Row(136, "ustat", sysDeviceStatus, .full, .hexadecimal, .address),
    Row(139, "sysfs", sysFilesystemTypes, .full, .integer, .address, .address),
    Row(
        155,
        "pivot_root",
        sysPivotRoot,
        .full,
        .path,
        .path
    ),
    Row(
        165,
        "mount",
        sysMount,
        .partial,
        .string,
        .path,
        .string,
        .mountFlags,
        .string,
        note:
            "tmpfs, proc and sysfs; remounting and moving; bind mounts; no MS_SHARED, MS_STRICTATIME"
    ),
    Row(166, "umount2", sysUnmount, .full, .path, .unmountFlags),
    Row(
        303,
        "name_to_handle_at",
        sysMakeHandle,
        .partial,
        .directory,
        .path,
        .address,
        .address,
        .atFlags,
        note: "of tmpfs and the root; no AT_HANDLE_FID"
    ),
    Row(
        304,
        "open_by_handle_at",
        sysOpenHandle,
        .full,
        .descriptor,
        .address,
        .openFlags,
        result: .descriptor
    ),
]
