import Kernel
import LinuxABI

extension UInt {
    /// The register as the number it is for the calls that take a `long`.
    @inline(__always)
    var signed: Int { Int(bitPattern: self) }
    /// The register as a call's `int`.
    @inline(__always)
    var int: Int32 { Int32(truncatingIfNeeded: self) }
    @inline(__always)
    var low: UInt32 { UInt32(truncatingIfNeeded: self) }
}

/// read(2)
func sysRead(_ descriptor: UInt, _ buffer: UInt, _ count: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        // What is lent for no longer than the look-up is not counted.
        let file = try Process.current.descriptors.lend(FileDescriptor(descriptor))
        guard count.signed >= 0 else { throw .badAddress }
        var transfer = Transfer(UserBuffer(address: buffer, count: count.signed))
        return try file.read(&transfer)
    }
}

/// write(2)
func sysWrite(_ descriptor: UInt, _ buffer: UInt, _ count: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        // What is lent for no longer than the look-up is not counted.
        let file = try Process.current.descriptors.lend(FileDescriptor(descriptor))
        guard count.signed >= 0 else { throw .badAddress }
        var transfer = Transfer(UserBuffer(address: buffer, count: count.signed))
        return try file.write(&transfer)
    }
}

/// readv(2)
func sysReadVector(_ descriptor: UInt, _ list: UInt, _ count: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        let descriptor = FileDescriptor(descriptor)
        _ = try table.lend(descriptor)
        return try table.withVector(list, count.signed) { (transfer) throws(Errno) in
            try table.read(descriptor, &transfer)
        }
    }
}

/// writev(2)
func sysWriteVector(_ descriptor: UInt, _ list: UInt, _ count: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        let descriptor = FileDescriptor(descriptor)
        _ = try table.lend(descriptor)
        return try table.withVector(list, count.signed) { (transfer) throws(Errno) in
            try table.write(descriptor, &transfer)
        }
    }
}

/// pread64(2)
func sysReadAt(
    _ descriptor: UInt,
    _ buffer: UInt,
    _ count: UInt,
    _ position: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        var transfer = Transfer(UserBuffer(address: buffer, count: count.signed))
        return try thread.process.descriptors.read(
            FileDescriptor(descriptor),
            &transfer,
            at: position.signed
        )
    }
}

/// pwrite64(2)
func sysWriteAt(
    _ descriptor: UInt,
    _ buffer: UInt,
    _ count: UInt,
    _ position: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        var transfer = Transfer(UserBuffer(address: buffer, count: count.signed))
        return try thread.process.descriptors.write(
            FileDescriptor(descriptor),
            &transfer,
            at: position.signed
        )
    }
}

/// preadv(2)
func sysReadVectorAt(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ position: UInt,
    _: UInt,
    _: UInt
) -> Int {
    guard position.signed >= 0 else { return -Int(Errno.invalidArgument.rawValue) }
    return transfer(descriptor, list, count, position, 0, writes: false)
}

/// pwritev(2)
func sysWriteVectorAt(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ position: UInt,
    _: UInt,
    _: UInt
) -> Int {
    guard position.signed >= 0 else { return -Int(Errno.invalidArgument.rawValue) }
    return transfer(descriptor, list, count, position, 0, writes: true)
}

/// preadv2(2)
func sysReadVectorWithFlags(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ position: UInt,
    _: UInt,
    _ flags: UInt
) -> Int {
    transfer(descriptor, list, count, position, flags, writes: false)
}

/// pwritev2(2)
func sysWriteVectorWithFlags(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ position: UInt,
    _: UInt,
    _ flags: UInt
) -> Int {
    transfer(descriptor, list, count, position, flags, writes: true)
}

@inline(never)
private func transfer(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ position: UInt,
    _ flags: UInt,
    writes: Bool
) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.transfer(
            FileDescriptor(descriptor),
            list,
            count.signed,
            at: position.signed,
            TransferFlags(rawValue: flags.low),
            writes: writes
        )
    }
}

/// lseek(2)
func sysSeek(_ descriptor: UInt, _ offset: UInt, _ whence: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        _ = try table.lend(FileDescriptor(descriptor))
        guard let origin = SeekOrigin(rawValue: whence.low) else { throw .invalidArgument }
        return try table.seek(FileDescriptor(descriptor), offset.signed, origin)
    }
}

/// close(2)
func sysClose(_ descriptor: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        try Process.current.openFiles.lend { (table) throws(Errno) in
            try table.close(FileDescriptor(descriptor))
        }
        return 0
    }
}

/// fstat(2)
func sysDescriptorStatus(_ descriptor: UInt, _ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { () throws(Errno) in
        try storeStatus(of: FileDescriptor(descriptor), record)
        return 0
    }
}

/// ioctl(2)
func sysControl(_ descriptor: UInt, _ request: UInt, _ argument: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.control(FileDescriptor(descriptor), request.low, argument)
    }
}

/// dup(2)
func sysDuplicate(_ descriptor: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        Int(try thread.process.descriptors.duplicate(FileDescriptor(descriptor)).rawValue)
    }
}

/// dup2(2)
func sysDuplicateTo(_ descriptor: UInt, _ target: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        if descriptor.low == target.low {
            _ = try table.lend(FileDescriptor(descriptor))
        } else {
            try table.duplicate(
                FileDescriptor(descriptor),
                to: FileDescriptor(target),
                closesOnExec: false
            )
        }
        return Int(target.low)
    }
}

/// dup3(2)
func sysDuplicateToWithFlags(
    _ descriptor: UInt,
    _ target: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let flags = OpenFlags(rawValue: flags.low)
        guard flags.isSubset(of: .closeOnExec), descriptor.low != target.low else {
            throw .invalidArgument
        }
        try thread.process.descriptors.duplicate(
            FileDescriptor(descriptor),
            to: FileDescriptor(target),
            closesOnExec: flags.contains(.closeOnExec)
        )
        return Int(target.low)
    }
}

/// close_range(2)
func sysCloseRange(_ first: UInt, _ last: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        // CLOSE_RANGE_UNSHARE and CLOSE_RANGE_CLOEXEC
        guard flags.low & ~6 == 0, first.low <= last.low else { throw .invalidArgument }
        if flags.low & 2 != 0 {
            thread.process.descriptors = try thread.process.descriptors.duplicate()
        }
        let table = thread.process.descriptors!
        if flags.low & 4 != 0 {
            table.setClosesOnExec(first.low...last.low)
        } else {
            table.close(first.low...last.low)
        }
        return 0
    }
}

/// Moving bytes, and what is done with descriptors alone.
let fileTransferRows: InlineArray<_, Row> = [
    Row(0, "read", sysRead, .full, .descriptor, .output, .size, restart: .byAction),
    Row(1, "write", sysWrite, .full, .descriptor, .input, .size, restart: .byAction),
    Row(3, "close", sysClose, .full, .descriptor),
    Row(5, "fstat", sysDescriptorStatus, .full, .descriptor, .fileStatusResult),
    Row(8, "lseek", sysSeek, .full, .descriptor, .offset, .whence, result: .offset),
    Row(
        16,
        "ioctl",
        sysControl,
        .partial,
        .descriptor,
        .ioctlRequest,
        .address,
        restart: .byAction,
        note: "terminals, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX; no FIOASYNC"
    ),
    Row(17, "pread64", sysReadAt, .full, .descriptor, .output, .size, .offset, restart: .byAction),
    Row(18, "pwrite64", sysWriteAt, .full, .descriptor, .input, .size, .offset, restart: .byAction),
    Row(
        19,
        "readv",
        sysReadVector,
        .full,
        .descriptor,
        .outputVector,
        .integer,
        restart: .byAction
    ),
    Row(
        20,
        "writev",
        sysWriteVector,
        .full,
        .descriptor,
        .inputVector,
        .integer,
        restart: .byAction
    ),
    Row(32, "dup", sysDuplicate, .full, .descriptor),
    Row(33, "dup2", sysDuplicateTo, .full, .descriptor, .descriptor),
    Row(292, "dup3", sysDuplicateToWithFlags, .full, .descriptor, .descriptor, .descriptorFlags),
    Row(
        295,
        "preadv",
        sysReadVectorAt,
        .full,
        .descriptor,
        .outputVector,
        .integer,
        .offset,
        restart: .byAction
    ),
    Row(
        296,
        "pwritev",
        sysWriteVectorAt,
        .full,
        .descriptor,
        .inputVector,
        .integer,
        .offset,
        restart: .byAction
    ),
    Row(
        327,
        "preadv2",
        sysReadVectorWithFlags,
        .full,
        .descriptor,
        .outputVector,
        .integer,
        .offset,
        .none,
        .transferFlags,
        restart: .byAction
    ),
    Row(
        328,
        "pwritev2",
        sysWriteVectorWithFlags,
        .partial,
        .descriptor,
        .inputVector,
        .integer,
        .offset,
        .none,
        .transferFlags,
        restart: .byAction,
        note: "no RWF_APPEND to a file of the host"
    ),
    Row(436, "close_range", sysCloseRange, .full, .unsigned, .unsigned, .closeRangeFlags),
]
