import Kernel
import LinuxABI

private func spliceFlags(_ register: UInt) throws(Errno) -> SpliceFlags {
    let flags = SpliceFlags(rawValue: register.low)
    guard flags.isSubset(of: .all) else { throw .invalidArgument }
    return flags
}

/// A position that the call reads and moves; nil for a null pointer. A pipe has none.
private func position(_ pointer: UserPointer<Int64>) throws(Errno) -> Int? {
    pointer.isNull ? nil : Int(try pointer.load())
}

/// splice(2)
func sysSplice(
    _ source: UInt,
    _ sourceOffset: UInt,
    _ target: UInt,
    _ targetOffset: UInt,
    _ count: UInt,
    _ flagBits: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard count > 0 else { return 0 }
        let flags = try spliceFlags(flagBits)
        let table = thread.process.descriptors!
        let isInputPipe = try table.isPipe(FileDescriptor(source))
        let isOutputPipe = try table.isPipe(FileDescriptor(target))
        if isInputPipe, sourceOffset != 0 { throw .illegalSeek }
        if isOutputPipe, targetOffset != 0 { throw .illegalSeek }
        let to = UserPointer<Int64>(targetOffset)
        let from = UserPointer<Int64>(sourceOffset)
        var toPosition = try position(to)
        var fromPosition = try position(from)
        let done = try table.splice(
            from: FileDescriptor(source),
            at: &fromPosition,
            to: FileDescriptor(target),
            at: &toPosition,
            count: Int(clamping: count),
            flags
        )
        if let toPosition { try to.store(Int64(toPosition)) }
        if let fromPosition { try from.store(Int64(fromPosition)) }
        return done
    }
}

/// tee(2)
func sysTee(_ source: UInt, _ target: UInt, _ count: UInt, _ flagBits: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let flags = try spliceFlags(flagBits)
        guard count > 0 else { return 0 }
        return try thread.process.descriptors.tee(
            from: FileDescriptor(source),
            to: FileDescriptor(target),
            count: Int(clamping: count),
            flags
        )
    }
}

/// vmsplice(2)
func sysSpliceMemory(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ flagBits: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let flags = try spliceFlags(flagBits)
        let table = thread.process.descriptors!
        _ = try table.splicesIntoPipe(FileDescriptor(descriptor))
        return try table.withVector(list, count.signed) { (transfer) throws(Errno) in
            try table.splice(FileDescriptor(descriptor), &transfer, flags)
        }
    }
}

/// sync_file_range(2)
func sysSynchronizeRange(
    _ descriptor: UInt,
    _ offset: UInt,
    _ count: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.synchronizeRange(
            FileDescriptor(descriptor),
            offset.signed,
            count.signed,
            flags.low
        )
        return 0
    }
}

/// readahead(2)
func sysReadAhead(_ descriptor: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.readAhead(FileDescriptor(descriptor))
        return 0
    }
}

/// Pipes without the program's memory, and advice about files' pages.
let spliceRows: InlineArray<_, Row> = [
    Row(187, "readahead", sysReadAhead, .full, .descriptor, .offset, .size),
    Row(
        275,
        "splice",
        sysSplice,
        .full,
        .descriptor,
        .offsetPointer,
        .descriptor,
        .offsetPointer,
        .size,
        .spliceFlags,
        restart: .byAction
    ),
    Row(
        276,
        "tee",
        sysTee,
        .full,
        .descriptor,
        .descriptor,
        .size,
        .spliceFlags,
        restart: .byAction
    ),
    Row(
        277,
        "sync_file_range",
        sysSynchronizeRange,
        .full,
        .descriptor,
        .offset,
        .offset,
        .rangeSyncFlags
    ),
    Row(
        278,
        "vmsplice",
        sysSpliceMemory,
        .full,
        .descriptor,
        .inputVector,
        .unsigned,
        .spliceFlags,
        restart: .byAction
    ),
]
