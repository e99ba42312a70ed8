import Kernel
import LinuxABI

private let workingDirectory = UInt(bitPattern: Int(PathFlags.workingDirectory))
private let resolvingFlags: PathFlags = [.noFollow, .emptyPath, .noAutomount]

/// Gives the program a status as `struct stat`, straight from where it was made.
@inline(__always)
func storeStatus(_ status: inout FileStatus, _ record: UInt) throws(Errno) {
    try UserMemory.write(&status, count: FileStatus.recordSize, at: record)
}

/// Not in a closure, which would be compiled for size.
@_optimize(speed)
private func storeStatus(
    of place: VFS.Place,
    _ process: Process,
    follow: Bool,
    _ record: UInt
) throws(Errno) {
    var status = FileStatus()
    try VFS.status(place, process, follow: follow, &status)
    try storeStatus(&status, record)
}

/// As `storeStatus(of:_:follow:_:)`, for an open file.
@_optimize(speed)
func storeStatus(of descriptor: FileDescriptor, _ record: UInt) throws(Errno) {
    var status = FileStatus()
    try Process.lendCurrent { (process) throws(Errno) in
        try VFS.status(descriptor, process, &status)
    }
    try storeStatus(&status, record)
}

@inline(__always)
private func pathStatus(_ path: UInt, _ record: UInt, follow: Bool) -> Int {
    withPlace(workingDirectory, path) { (place, process) throws(Errno) in
        try storeStatus(of: place, process, follow: follow, record)
    }
}

/// stat(2)
func sysStatus(_ path: UInt, _ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    pathStatus(path, record, follow: true)
}

/// lstat(2)
func sysLinkStatus(_ path: UInt, _ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    pathStatus(path, record, follow: false)
}

/// newfstatat(2)
func sysStatusAt(_ directory: UInt, _ path: UInt, _ record: UInt, _ flags: UInt, _: UInt, _: UInt)
    -> Int
{
    withPlace(directory, path) { (place, process) throws(Errno) in
        let flags = try pathFlags(flags, allowing: resolvingFlags)
        guard place.path.isEmpty else {
            return try storeStatus(of: place, process, follow: !flags.contains(.noFollow), record)
        }
        var status = FileStatus()
        _ = try VFS.status(place, process, flags, &status)
        try storeStatus(&status, record)
    }
}

/// statx(2)
func sysExtendedStatus(
    _ directory: UInt,
    _ path: UInt,
    _ flags: UInt,
    _ mask: UInt,
    _ record: UInt,
    _: UInt
) -> Int {
    withPlace(directory, path) { (place, process) throws(Errno) in
        let flags = try pathFlags(flags, allowing: resolvingFlags.union(.statusSync))
        guard mask.low & ExtendedStatusRecord.reservedMask == 0, !flags.isSuperset(of: .statusSync)
        else { throw .invalidArgument }
        var status = FileStatus()
        let mount = try VFS.status(place, process, flags, &status)
        try UserPointer<ExtendedStatusRecord>(record).store(
            ExtendedStatusRecord(status, mountID: mount)
        )
    }
}

/// statfs(2)
func sysFilesystemStatus(_ path: UInt, _ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withPlace(workingDirectory, path) { (place, process) throws(Errno) in
        try UserPointer<FilesystemStatusRecord>(record).store(
            try VFS.filesystemStatus(place, process)
        )
    }
}

/// fstatfs(2)
func sysDescriptorFilesystemStatus(
    _ descriptor: UInt,
    _ record: UInt,
    _: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let file = try thread.process.descriptors.file(FileDescriptor(descriptor))
        try UserPointer<FilesystemStatusRecord>(record).store(file.filesystemStatus())
        return 0
    }
}

/// faccessat2(2)
func sysAccessAt2(_ directory: UInt, _ path: UInt, _ mode: UInt, _ flags: UInt, _: UInt, _: UInt)
    -> Int
{
    guard mode.low & ~7 == 0 else { return -Int(Errno.invalidArgument.rawValue) }
    return withPlace(
        directory,
        path,
        flags: flags,
        allowing: [.effectiveAccess, .noFollow, .emptyPath]
    ) { (place, process) throws(Errno) in
        let flags = PathFlags(rawValue: flags.low)
        try VFS.checkAccess(place, process, mode: mode.low, flags)
    }
}

/// faccessat(2), which has no flags.
func sysAccessAt(_ directory: UInt, _ path: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysAccessAt2(directory, path, mode, 0, 0, 0)
}

/// access(2)
func sysAccess(_ path: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysAccessAt2(workingDirectory, path, mode, 0, 0, 0)
}

/// fchmodat2(2)
func sysChangeModeAt2(
    _ directory: UInt,
    _ path: UInt,
    _ mode: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    withPlace(directory, path, flags: flags, allowing: [.noFollow, .emptyPath]) {
        (place, process) throws(Errno) in
        let flags = PathFlags(rawValue: flags.low)
        try VFS.changeMode(place, process, permissions: mode.low, flags)
    }
}

/// fchmodat(2), which has no flags.
func sysChangeModeAt(_ directory: UInt, _ path: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    sysChangeModeAt2(directory, path, mode, 0, 0, 0)
}

/// chmod(2)
func sysChangeMode(_ path: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysChangeModeAt2(workingDirectory, path, mode, 0, 0, 0)
}

/// fchmod(2)
func sysChangeModeOf(_ descriptor: UInt, _ mode: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try VFS.changeMode(FileDescriptor(descriptor), thread.process, permissions: mode.low)
        return 0
    }
}

/// fchownat(2)
func sysChangeOwnerAt(
    _ directory: UInt,
    _ path: UInt,
    _ user: UInt,
    _ group: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    withPlace(directory, path, flags: flags, allowing: [.noFollow, .emptyPath]) {
        (place, process) throws(Errno) in
        let flags = PathFlags(rawValue: flags.low)
        try VFS.changeOwner(place, process, user: user.low, group: group.low, flags)
    }
}

/// chown(2)
func sysChangeOwner(_ path: UInt, _ user: UInt, _ group: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysChangeOwnerAt(workingDirectory, path, user, group, 0, 0)
}

/// lchown(2)
func sysChangeLinkOwner(_ path: UInt, _ user: UInt, _ group: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    sysChangeOwnerAt(workingDirectory, path, user, group, UInt(PathFlags.noFollow.rawValue), 0)
}

/// fchown(2)
func sysChangeOwnerOf(_ descriptor: UInt, _ user: UInt, _ group: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        try VFS.changeOwner(
            FileDescriptor(descriptor),
            thread.process,
            user: user.low,
            group: group.low
        )
        return 0
    }
}

/// Sets times at a path, or with a null path of the descriptor itself.
private func changeTimes(
    _ directory: UInt,
    _ path: UInt,
    _ times: (FileTime, FileTime)?,
    _ flags: PathFlags
) -> Int {
    guard path == 0 else {
        return withPlace(directory, path) { (place, process) throws(Errno) in
            try VFS.changeTimes(place, process, times, flags)
        }
    }
    return answer { (thread) throws(Errno) in
        guard directory.int != PathFlags.workingDirectory else { throw .badAddress }
        guard flags.isEmpty else { throw .invalidArgument }
        try VFS.changeTimes(FileDescriptor(directory), thread.process, times)
        return 0
    }
}

/// utimensat(2)
func sysChangeTimesAt(
    _ directory: UInt,
    _ path: UInt,
    _ times: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    var decoded: (FileTime, FileTime)? = nil
    var accepted: PathFlags = []
    let failure = answer { () throws(Errno) in
        accepted = try pathFlags(flags, allowing: [.noFollow, .emptyPath])
        guard times != 0 else { return 0 }
        let list = UserPointer<FileTime>(times)
        decoded = (try list.load(), try list[1].load())
        return 0
    }
    guard failure == 0 else { return failure }
    // Nothing is to change: then not even the path is looked at.
    if let decoded, decoded.0.nanoseconds == FileTime.omitMark,
        decoded.1.nanoseconds == FileTime.omitMark
    {
        return 0
    }
    return changeTimes(directory, path, decoded, accepted)
}

/// futimesat(2)
func sysChangeTimesOfAt(_ directory: UInt, _ path: UInt, _ times: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    var decoded: (FileTime, FileTime)? = nil
    let failure = answer { () throws(Errno) in
        guard times != 0 else { return 0 }
        let list = UserPointer<TimeValue>(times)
        let first = try list.load()
        let second = try list[1].load()
        for time in [first, second] {
            guard time.microseconds >= 0, time.microseconds < 1_000_000 else {
                throw .invalidArgument
            }
        }
        decoded = (
            FileTime(seconds: first.seconds, nanoseconds: first.microseconds * 1000),
            FileTime(seconds: second.seconds, nanoseconds: second.microseconds * 1000)
        )
        return 0
    }
    guard failure == 0 else { return failure }
    return changeTimes(directory, path, decoded, [])
}

/// utimes(2)
func sysChangeTimes(_ path: UInt, _ times: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysChangeTimesOfAt(workingDirectory, path, times, 0, 0, 0)
}

/// utime(2)
func sysChangeTimesInSeconds(_ path: UInt, _ times: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    var decoded: (FileTime, FileTime)? = nil
    let failure = answer { () throws(Errno) in
        guard times != 0 else { return 0 }
        let list = UserPointer<Int64>(times)
        decoded = (
            FileTime(seconds: try list.load()), FileTime(seconds: try list[1].load())
        )
        return 0
    }
    guard failure == 0 else { return failure }
    return changeTimes(workingDirectory, path, decoded, [])
}

/// truncate(2)
func sysTruncate(_ path: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withPlace(workingDirectory, path) { (place, process) throws(Errno) in
        try VFS.truncate(place, process, to: size.signed)
    }
}

/// ftruncate(2)
func sysTruncateDescriptor(_ descriptor: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        try VFS.truncate(FileDescriptor(descriptor), thread.process, to: size.signed)
        return 0
    }
}

/// Attributes of files and file systems.
let fileStatusRows: InlineArray<_, Row> = [
    Row(4, "stat", sysStatus, .full, .path, .fileStatusResult),
    Row(6, "lstat", sysLinkStatus, .full, .path, .fileStatusResult),
    Row(21, "access", sysAccess, .full, .path, .accessMode),
    Row(76, "truncate", sysTruncate, .full, .path, .offset),
    Row(77, "ftruncate", sysTruncateDescriptor, .full, .descriptor, .offset),
    Row(90, "chmod", sysChangeMode, .full, .path, .mode),
    Row(91, "fchmod", sysChangeModeOf, .full, .descriptor, .mode),
    Row(92, "chown", sysChangeOwner, .full, .path, .user, .group),
    Row(93, "fchown", sysChangeOwnerOf, .full, .descriptor, .user, .group),
    Row(94, "lchown", sysChangeLinkOwner, .full, .path, .user, .group),
    Row(132, "utime", sysChangeTimesInSeconds, .full, .path, .address),
    Row(137, "statfs", sysFilesystemStatus, .full, .path, .fileSystemStatusResult),
    Row(138, "fstatfs", sysDescriptorFilesystemStatus, .full, .descriptor, .fileSystemStatusResult),
    Row(235, "utimes", sysChangeTimes, .full, .path, .address),
    Row(260, "fchownat", sysChangeOwnerAt, .full, .directory, .path, .user, .group, .atFlags),
    Row(261, "futimesat", sysChangeTimesOfAt, .full, .directory, .path, .address),
    Row(262, "newfstatat", sysStatusAt, .full, .directory, .path, .fileStatusResult, .atFlags),
    Row(268, "fchmodat", sysChangeModeAt, .full, .directory, .path, .mode),
    Row(269, "faccessat", sysAccessAt, .full, .directory, .path, .accessMode),
    Row(280, "utimensat", sysChangeTimesAt, .full, .directory, .path, .address, .atFlags),
    Row(
        332,
        "statx",
        sysExtendedStatus,
        .full,
        .directory,
        .path,
        .atFlags,
        .statxMask,
        .statxResult
    ),
    Row(439, "faccessat2", sysAccessAt2, .full, .directory, .path, .accessMode, .atFlags),
    Row(452, "fchmodat2", sysChangeModeAt2, .full, .directory, .path, .mode, .atFlags),
]
