import Kernel
import LinuxABI

private let workingDirectory = UInt(bitPattern: Int(PathFlags.workingDirectory))

/// Opens, waits for what opening waits for, and gives the file a descriptor.
@inline(__always)
private func openFile(
    _ directory: UInt,
    _ path: UInt,
    _ flags: OpenFlags,
    _ mode: UInt32,
    _ resolve: VFS.ResolveFlags = []
) -> Int {
    answer { () throws(Errno) in
        let room = try Process.current.openFiles.lend { (table) throws(Errno) in
            try table.checkRoom()
        }
        let file = Unmanaged.passRetained(
            try withUserPath(path) { (path) throws(Errno) in
                try Process.lendCurrent { (process) throws(Errno) in
                    let place = VFS.Place(directory.int, path)
                    return try VFS.open(place, process, flags, mode: mode, resolve)
                }
            }
        )
        let closesOnExec = flags.contains(.closeOnExec)
        do throws(Errno) {
            try file.lend { (file) throws(Errno) in try file.finishOpening() }
            let descriptor = try Process.current.openFiles.lend { (table) throws(Errno) in
                try table.insert(file, closesOnExec: closesOnExec, at: room)
            }
            return Int(descriptor.rawValue)
        } catch {
            file.release()
            throw error
        }
    }
}

/// open(2): flags that Linux does not know are ignored.
func sysOpen(_ path: UInt, _ flags: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    openFile(workingDirectory, path, OpenFlags(rawValue: flags.low).intersection(.all), mode.low)
}

/// openat(2)
func sysOpenAt(_ directory: UInt, _ path: UInt, _ flags: UInt, _ mode: UInt, _: UInt, _: UInt)
    -> Int
{
    openFile(directory, path, OpenFlags(rawValue: flags.low).intersection(.all), mode.low)
}

/// creat(2)
func sysCreate(_ path: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    openFile(workingDirectory, path, [.create, .writeOnly, .truncate], mode.low)
}

/// `struct open_how`
private struct OpenHow: BitwiseCopyable {
    var flags: UInt64
    var mode: UInt64
    var resolve: UInt64
}

/// openat2(2)
func sysOpenAt2(_ directory: UInt, _ path: UInt, _ how: UInt, _ size: UInt, _: UInt, _: UInt)
    -> Int
{
    var decoded = OpenHow(flags: 0, mode: 0, resolve: 0)
    let failure = answer { () throws(Errno) in
        guard size >= UInt(MemoryLayout<OpenHow>.size) else { throw .invalidArgument }
        guard size == UInt(MemoryLayout<OpenHow>.size) else { throw .argumentListTooLong }
        decoded = try UserPointer<OpenHow>(how).load()
        let flags = OpenFlags(rawValue: UInt32(truncatingIfNeeded: decoded.flags))
        guard decoded.flags >> 32 == 0, flags.isSubset(of: .all), decoded.mode & ~0o7777 == 0,
            decoded.resolve & ~VFS.ResolveFlags.supported.rawValue == 0,
            decoded.mode == 0 || !flags.isDisjoint(with: [.create, .temporaryFile])
        else { throw .invalidArgument }
        // What O_PATH leaves out, openat2(2) does not pass over in silence.
        let withPath: OpenFlags = [.path, .directory, .noFollow, .closeOnExec]
        guard !flags.contains(.path) || flags.isSubset(of: withPath) else {
            throw .invalidArgument
        }
        // RESOLVE_BENEATH and RESOLVE_IN_ROOT exclude each other.
        guard decoded.resolve & 0x18 != 0x18 else { throw .invalidArgument }
        return 0
    }
    guard failure == 0 else { return failure }
    return openFile(
        directory,
        path,
        OpenFlags(rawValue: UInt32(decoded.flags)),
        UInt32(decoded.mode),
        VFS.ResolveFlags(rawValue: decoded.resolve)
    )
}

/// Runs `body` with a place that a directory descriptor and a path name.
@inline(__always)
func withPlace(
    _ directory: UInt,
    _ path: UInt,
    flags: UInt = 0,
    allowing allowed: PathFlags = [],
    _ body: (VFS.Place, Process) throws(Errno) -> Void
) -> Int {
    answer { () throws(Errno) in
        _ = try pathFlags(flags, allowing: allowed)
        try withUserPath(path) { (path) throws(Errno) in
            try Process.lendCurrent { (process) throws(Errno) in
                try body(VFS.Place(directory.int, path), process)
            }
        }
        return 0
    }
}

/// The flags of a path call. Throws `invalidArgument` for those that it does not take.
@inline(__always)
func pathFlags(_ register: UInt, allowing allowed: PathFlags) throws(Errno) -> PathFlags {
    let flags = PathFlags(rawValue: register.low)
    guard flags.isSubset(of: allowed) else { throw .invalidArgument }
    return flags
}

/// mkdir(2)
func sysMakeDirectory(_ path: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysMakeDirectoryAt(workingDirectory, path, mode, 0, 0, 0)
}

/// mkdirat(2)
func sysMakeDirectoryAt(
    _ directory: UInt,
    _ path: UInt,
    _ mode: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    withPlace(directory, path) { (place, process) throws(Errno) in
        try VFS.makeDirectory(place, process, mode: mode.low)
    }
}

/// mknod(2)
func sysMakeNode(_ path: UInt, _ mode: UInt, _ device: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysMakeNodeAt(workingDirectory, path, mode, device, 0, 0)
}

/// mknodat(2)
func sysMakeNodeAt(
    _ directory: UInt,
    _ path: UInt,
    _ mode: UInt,
    _ device: UInt,
    _: UInt,
    _: UInt
) -> Int {
    withPlace(directory, path) { (place, process) throws(Errno) in
        try VFS.makeNode(
            place,
            process,
            mode: FileMode(rawValue: mode.low & 0xffff),
            device: UInt64(device.low)
        )
    }
}

/// rmdir(2)
func sysRemoveDirectory(_ path: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withPlace(workingDirectory, path) { (place, process) throws(Errno) in
        try VFS.removeDirectory(place, process)
    }
}

/// unlink(2)
func sysUnlink(_ path: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withPlace(workingDirectory, path) { (place, process) throws(Errno) in
        try VFS.unlink(place, process)
    }
}

/// unlinkat(2)
func sysUnlinkAt(_ directory: UInt, _ path: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withPlace(directory, path, flags: flags, allowing: .removeDirectory) {
        (place, process) throws(Errno) in
        if PathFlags(rawValue: flags.low).contains(.removeDirectory) {
            try VFS.removeDirectory(place, process)
        } else {
            try VFS.unlink(place, process)
        }
    }
}

/// renameat2(2)
func sysRenameAt2(
    _ oldDirectory: UInt,
    _ old: UInt,
    _ newDirectory: UInt,
    _ new: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    withPlace(oldDirectory, old) { (oldPlace, process) throws(Errno) in
        _ = try withUserPath(new) { (path) throws(Errno) in
            try VFS.rename(
                oldPlace,
                VFS.Place(newDirectory.int, path),
                process,
                VFS.RenameFlags(rawValue: flags.low)
            )
            return 0
        }
    }
}

/// rename(2)
func sysRename(_ old: UInt, _ new: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysRenameAt2(workingDirectory, old, workingDirectory, new, 0, 0)
}

/// renameat(2)
func sysRenameAt(
    _ oldDirectory: UInt,
    _ old: UInt,
    _ newDirectory: UInt,
    _ new: UInt,
    _: UInt,
    _: UInt
) -> Int {
    sysRenameAt2(oldDirectory, old, newDirectory, new, 0, 0)
}

/// linkat(2)
func sysLinkAt(
    _ oldDirectory: UInt,
    _ old: UInt,
    _ newDirectory: UInt,
    _ new: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    withPlace(oldDirectory, old, flags: flags, allowing: [.follow, .emptyPath]) {
        (oldPlace, process) throws(Errno) in
        let flags = PathFlags(rawValue: flags.low)
        _ = try withUserPath(new) { (path) throws(Errno) in
            try VFS.link(oldPlace, VFS.Place(newDirectory.int, path), process, flags)
            return 0
        }
    }
}

/// link(2)
func sysLink(_ old: UInt, _ new: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysLinkAt(workingDirectory, old, workingDirectory, new, 0, 0)
}

/// symlinkat(2)
func sysSymbolicLinkAt(_ target: UInt, _ directory: UInt, _ path: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        try withUserPath(target) { (target) throws(Errno) in
            try withUserPath(path) { (path) throws(Errno) in
                try VFS.makeSymbolicLink(
                    to: target,
                    VFS.Place(directory.int, path),
                    thread.process
                )
                return 0
            }
        }
    }
}

/// symlink(2)
func sysSymbolicLink(_ target: UInt, _ path: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysSymbolicLinkAt(target, workingDirectory, path, 0, 0, 0)
}

/// readlinkat(2)
func sysReadLinkAt(
    _ directory: UInt,
    _ path: UInt,
    _ buffer: UInt,
    _ count: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try withUserPath(path) { (path) throws(Errno) in
            try VFS.readLink(
                VFS.Place(directory.int, path),
                thread.process,
                UserBuffer(address: buffer, count: Int(count.int))
            )
        }
    }
}

/// readlink(2)
func sysReadLink(_ path: UInt, _ buffer: UInt, _ count: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysReadLinkAt(workingDirectory, path, buffer, count, 0, 0)
}

/// chdir(2)
func sysChangeDirectory(_ path: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withPlace(workingDirectory, path) { (place, process) throws(Errno) in
        try VFS.changeDirectory(place, process)
    }
}

/// fchdir(2)
func sysChangeDirectoryTo(_ descriptor: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try VFS.changeDirectory(FileDescriptor(descriptor), thread.process)
        return 0
    }
}

/// chroot(2)
func sysChangeRoot(_ path: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withPlace(workingDirectory, path) { (place, process) throws(Errno) in
        try VFS.changeRoot(place, process)
    }
}

/// getcwd(2): bytes with the NUL.
func sysWorkingDirectory(_ buffer: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let path = try VFS.workingDirectory(thread.process)
        guard path.count + 1 <= size else { throw .outOfRange }
        for (index, byte) in (path + [0]).enumerated() {
            try UserPointer<UInt8>(buffer)[index].store(byte)
        }
        return path.count + 1
    }
}

/// umask(2)
func sysCreationMask(_ mask: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let paths = thread.process.paths!
        let before = paths.creationMask
        paths.creationMask = mask.low & 0o777
        return Int(before)
    }
}

/// getdents64(2)
func sysReadDirectory(_ descriptor: UInt, _ buffer: UInt, _ count: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.file(FileDescriptor(descriptor)).readDirectory(
            UserBuffer(address: buffer, count: Int(count.low)),
            .wide
        )
    }
}

/// getdents(2)
func sysReadDirectoryOld(
    _ descriptor: UInt,
    _ buffer: UInt,
    _ count: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.file(FileDescriptor(descriptor)).readDirectory(
            UserBuffer(address: buffer, count: Int(count.low)),
            .old
        )
    }
}

/// Names: opening, making, moving, removing, reading directories.
let filePathRows: InlineArray<_, Row> = [
    Row(
        2,
        "open",
        sysOpen,
        .full,
        .path,
        .openFlags,
        .mode,
        result: .descriptor,
        restart: .byAction
    ),
    Row(78, "getdents", sysReadDirectoryOld, .full, .descriptor, .output, .size),
    Row(79, "getcwd", sysWorkingDirectory, .full, .output, .size),
    Row(80, "chdir", sysChangeDirectory, .full, .path),
    Row(81, "fchdir", sysChangeDirectoryTo, .full, .descriptor),
    Row(82, "rename", sysRename, .full, .path, .path),
    Row(83, "mkdir", sysMakeDirectory, .full, .path, .mode),
    Row(84, "rmdir", sysRemoveDirectory, .full, .path),
    Row(85, "creat", sysCreate, .full, .path, .mode, result: .descriptor, restart: .byAction),
    Row(86, "link", sysLink, .full, .path, .path),
    Row(87, "unlink", sysUnlink, .full, .path),
    Row(88, "symlink", sysSymbolicLink, .full, .path, .path),
    Row(89, "readlink", sysReadLink, .full, .path, .output, .size),
    Row(95, "umask", sysCreationMask, .full, .mode, result: .octal),
    Row(133, "mknod", sysMakeNode, .full, .path, .mode, .hexadecimal),
    Row(161, "chroot", sysChangeRoot, .full, .path),
    Row(217, "getdents64", sysReadDirectory, .full, .descriptor, .directoryEntriesResult, .size),
    Row(
        257,
        "openat",
        sysOpenAt,
        .full,
        .directory,
        .path,
        .openFlags,
        .mode,
        result: .descriptor,
        restart: .byAction
    ),
    Row(258, "mkdirat", sysMakeDirectoryAt, .full, .directory, .path, .mode),
    Row(259, "mknodat", sysMakeNodeAt, .full, .directory, .path, .mode, .hexadecimal),
    Row(263, "unlinkat", sysUnlinkAt, .full, .directory, .path, .atFlags),
    Row(264, "renameat", sysRenameAt, .full, .directory, .path, .directory, .path),
    Row(265, "linkat", sysLinkAt, .full, .directory, .path, .directory, .path, .atFlags),
    Row(266, "symlinkat", sysSymbolicLinkAt, .full, .path, .directory, .path),
    Row(267, "readlinkat", sysReadLinkAt, .full, .directory, .path, .output, .size),
    Row(
        316,
        "renameat2",
        sysRenameAt2,
        .partial,
        .directory,
        .path,
        .directory,
        .path,
        .renameFlags,
        note: "no RENAME_WHITEOUT"
    ),
    Row(
        437,
        "openat2",
        sysOpenAt2,
        .partial,
        .directory,
        .path,
        .address,
        .size,
        result: .descriptor,
        restart: .byAction,
        note: "no RESOLVE_CACHED"
    ),
]
