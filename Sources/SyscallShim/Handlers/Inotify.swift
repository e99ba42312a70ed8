import Kernel
import LinuxABI

/// inotify_init1(2)
func sysWatchFile1(_ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let flags = OpenFlags(rawValue: flags.low)
        return Int(try thread.process.descriptors.makeWatchFile(flags).rawValue)
    }
}

/// inotify_init(2)
func sysWatchFile(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysWatchFile1(0, 0, 0, 0, 0, 0)
}

/// inotify_add_watch(2)
func sysAddWatch(_ descriptor: UInt, _ path: UInt, _ mask: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        let mask = WatchEvents(rawValue: mask.low)
        try table.checkWatch(FileDescriptor(descriptor), mask)
        return try withUserPath(path) { (path) throws(Errno) in
            let place = VFS.Place(path)
            let number = try table.addWatch(
                FileDescriptor(descriptor),
                place,
                mask,
                thread.process
            )
            return Int(number)
        }
    }
}

/// inotify_rm_watch(2)
func sysRemoveWatch(_ descriptor: UInt, _ number: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.removeWatch(FileDescriptor(descriptor), number.int)
        return 0
    }
}

/// Watching files: inotify(7).
let inotifyRows: InlineArray<_, Row> = [
    Row(253, "inotify_init", sysWatchFile, .full, result: .descriptor),
    Row(
        254,
        "inotify_add_watch",
        sysAddWatch,
        .full,
        .descriptor,
        .path,
        .watchEvents
    ),
    Row(255, "inotify_rm_watch", sysRemoveWatch, .full, .descriptor, .integer),
    Row(294, "inotify_init1", sysWatchFile1, .full, .descriptorFlags, result: .descriptor),
]
