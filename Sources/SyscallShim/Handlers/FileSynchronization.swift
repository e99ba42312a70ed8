import Kernel
import LinuxABI

/// fsync(2) and fdatasync(2)
func sysSynchronize(_ descriptor: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let file = try thread.process.descriptors.file(FileDescriptor(descriptor))
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        try file.synchronize()
        return 0
    }
}

/// sync(2): nothing here is written later.
func sysSynchronizeAll(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int { 0 }

/// syncfs(2)
func sysSynchronizeFilesystem(
    _ descriptor: UInt,
    _: UInt,
    _: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let file = try thread.process.descriptors.file(FileDescriptor(descriptor))
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        return 0
    }
}

/// posix_fadvise(2): advice is checked; there is no read-ahead that it could change.
func sysAdviseFile(
    _ descriptor: UInt,
    _ offset: UInt,
    _ count: UInt,
    _ advice: UInt,
    _: UInt,
    _: UInt
)
    -> Int
{
    answer { (thread) throws(Errno) in
        let file = try thread.process.descriptors.file(FileDescriptor(descriptor))
        guard file.traits.contains(.seekable) else { throw .illegalSeek }
        guard advice.low <= 5, count.signed >= 0 else { throw .invalidArgument }
        return 0
    }
}
