import Kernel
import LinuxABI

/// The commands of fcntl(2).
private enum FileCommand: UInt32 {
    case duplicate = 0
    case getDescriptorFlags, setDescriptorFlags, getStatusFlags, setStatusFlags
    case getLock, setLock, setLockWaiting, setOwner, getOwner, setSignal, getSignal
    case setOwnerRecord = 15
    case getOwnerRecord
    case getFileLock = 36
    case setFileLock, setFileLockWaiting
    case duplicateClosing = 1030
    case setPipeSize = 1031
    case getPipeSize, addSeals, getSeals
}

/// fcntl(2)
func sysFileControl(
    _ descriptor: UInt,
    _ command: UInt,
    _ argument: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        let descriptor = FileDescriptor(descriptor)
        let file = try table.file(descriptor)
        guard let command = FileCommand(rawValue: command.low) else { throw .invalidArgument }
        switch command {
        case .duplicate, .duplicateClosing:
            let new = try table.duplicate(
                descriptor,
                from: Int(argument.int),
                closesOnExec: command == .duplicateClosing
            )
            return Int(new.rawValue)
        case .getDescriptorFlags: return table.closesOnExec(descriptor) ? 1 : 0
        case .setDescriptorFlags:
            try table.setClosesOnExec(descriptor, argument & 1 != 0)
            return 0
        case .getStatusFlags:
            return Int(file.statusFlags.rawValue)
        case .setStatusFlags:
            try table.setStatusFlags(descriptor, OpenFlags(rawValue: argument.low))
            return 0
        case .getLock, .setLock, .setLockWaiting, .getFileLock, .setFileLock, .setFileLockWaiting:
            return try lock(file, thread.process, command, UserPointer<FileLockRecord>(argument))
        case .setOwner:
            try setOwner(of: file, argument.int)
            return 0
        case .getOwner: return Int(file.owner.id)
        case .setSignal:
            guard argument <= 64 else { throw .invalidArgument }
            file.owner.signal = UInt8(argument)
            return 0
        case .getSignal: return Int(file.owner.signal)
        case .setOwnerRecord:
            let record = try UserPointer<OwnerRecord>(argument).load()
            try setOwner(of: file, try record.owner)
            file.owner.isThread = record.kind == 0
            return 0
        case .getOwnerRecord:
            try UserPointer<OwnerRecord>(argument).store(OwnerRecord(file.owner))
            return 0
        case .getPipeSize: return try table.pipeSize(descriptor)
        case .setPipeSize: return try table.pipeSize(descriptor, setting: Int(argument.low))
        case .addSeals:
            try table.addSeals(descriptor, FileSeals(rawValue: argument.low))
            return 0
        case .getSeals: return Int(try table.seals(descriptor).rawValue)
        }
    }
}

/// `struct f_owner_ex` of fcntl(2).
private struct OwnerRecord: BitwiseCopyable {
    /// F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP
    var kind: Int32
    var id: Int32

    init(_ owner: FileOwner) {
        kind = owner.id < 0 ? 2 : owner.isThread ? 0 : 1
        id = abs(owner.id)
    }

    /// As F_SETOWN has it: a process, or minus a process group.
    var owner: Int32 {
        get throws(Errno) {
            switch kind {
            case 0, 1: return id
            case 2: return 0 &- id
            default: throw .invalidArgument
            }
        }
    }
}

/// Throws `noSuchProcess` where nobody has the number.
private func setOwner(of file: OpenFile, _ owner: Int32) throws(Errno) {
    guard owner != .min else { throw .invalidArgument }
    let exists =
        owner == 0 || ThreadTable.thread(owner) != nil || ProcessTable.process(owner) != nil
        || (owner < 0 && ProcessTable.hasGroup(-owner))
    guard exists else { throw .noSuchProcess }
    file.owner.id = owner
    file.owner.isThread = false
}

/// `struct flock`
private struct FileLockRecord: BitwiseCopyable {
    var type: Int16
    var whence: Int16
    var padding: Int32
    var start: Int64
    var length: Int64
    var process: Int32
    var padding2: Int32

    static let read: Int16 = 0
    static let write: Int16 = 1
    static let unlock: Int16 = 2

    func range(of file: OpenFile) throws(Errno) -> Range<Int> {
        let base: Int
        switch whence {
        case 0: base = 0
        case 1: base = file.position
        case 2: base = Int(try file.status().size)
        default: throw .invalidArgument
        }
        let (first, overflow) = base.addingReportingOverflow(Int(start))
        guard !overflow else { throw .valueTooLarge }
        guard first >= 0 else { throw .invalidArgument }
        if length == 0 { return first..<Int.max }
        let (end, tooFar) = first.addingReportingOverflow(Int(length))
        guard !tooFar else { throw .valueTooLarge }
        guard end >= 0 else { throw .invalidArgument }
        return min(first, end)..<max(first, end)
    }

    /// Takes what F_GETLK answers: the lock that was found, or that there is none.
    mutating func show(_ found: (range: Range<Int>, isExclusive: Bool, process: Int32)?) {
        guard let found else {
            type = FileLockRecord.unlock
            return
        }
        type = found.isExclusive ? FileLockRecord.write : FileLockRecord.read
        whence = 0
        start = Int64(found.range.lowerBound)
        length = found.range.upperBound == .max ? 0 : Int64(found.range.count)
        process = found.process
    }
}

private func lock(
    _ file: OpenFile,
    _ process: Process,
    _ command: FileCommand,
    _ pointer: UserPointer<FileLockRecord>
) throws(Errno) -> Int {
    guard !file.flags.contains(.path) else { throw .badDescriptor }
    var record = try pointer.load()
    guard record.type >= FileLockRecord.read, record.type <= FileLockRecord.unlock else {
        throw .invalidArgument
    }
    let range = try record.range(of: file)
    let isExclusive = record.type == FileLockRecord.write
    let isUnlock = record.type == FileLockRecord.unlock
    let isOpenFiles = command.rawValue >= FileCommand.getFileLock.rawValue
    if isOpenFiles, record.process != 0 { throw .invalidArgument }
    let owner = isOpenFiles ? nil : process
    if command == .getLock || command == .getFileLock {
        guard !isUnlock else { throw .invalidArgument }
        record.show(file.conflictingLock(range, of: owner, isExclusive: isExclusive))
        try pointer.store(record)
        return 0
    }
    if !isUnlock {
        guard isExclusive ? file.flags.isWritable : file.flags.isReadable else {
            throw .badDescriptor
        }
    }
    try file.lock(
        range,
        of: owner,
        isExclusive: isUnlock ? nil : isExclusive,
        waits: command == .setLockWaiting || command == .setFileLockWaiting
    )
    return 0
}

/// flock(2)
func sysLockFile(_ descriptor: UInt, _ operation: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let file = try thread.process.descriptors.file(FileDescriptor(descriptor))
        // LOCK_SH, LOCK_EX, LOCK_UN, and LOCK_NB
        let waits = operation.low & 4 == 0
        switch operation.low & ~4 {
        case 1: try file.lock(isExclusive: false, waits: waits)
        case 2: try file.lock(isExclusive: true, waits: waits)
        case 8: try file.lock(isExclusive: nil, waits: waits)
        default: throw .invalidArgument
        }
        return 0
    }
}

/// fallocate(2)
func sysAllocate(_ descriptor: UInt, _ mode: UInt, _ offset: UInt, _ count: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        try thread.process.descriptors.allocate(
            FileDescriptor(descriptor),
            DescriptorTable.AllocationMode(rawValue: mode.low),
            at: offset.signed,
            count: count.signed
        )
        return 0
    }
}

/// sendfile(2)
func sysSendFile(_ target: UInt, _ source: UInt, _ offset: UInt, _ count: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let pointer = UserPointer<Int64>(offset)
        var position: Int? = pointer.isNull ? nil : Int(try pointer.load())
        guard count.signed >= 0 else { throw .invalidArgument }
        let done = try thread.process.descriptors.send(
            FileDescriptor(target),
            from: FileDescriptor(source),
            at: &position,
            count: min(count.signed, Transfer.limit)
        )
        if let position { try pointer.store(Int64(position)) }
        return done
    }
}

/// copy_file_range(2)
func sysCopyRange(
    _ source: UInt,
    _ sourceOffset: UInt,
    _ target: UInt,
    _ targetOffset: UInt,
    _ count: UInt,
    _ flags: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard flags == 0 else { throw .invalidArgument }
        let from = UserPointer<Int64>(sourceOffset)
        let to = UserPointer<Int64>(targetOffset)
        var fromPosition: Int? = from.isNull ? nil : Int(try from.load())
        var toPosition: Int? = to.isNull ? nil : Int(try to.load())
        let done = try thread.process.descriptors.copy(
            from: FileDescriptor(source),
            at: &fromPosition,
            to: FileDescriptor(target),
            at: &toPosition,
            count: count.signed
        )
        if let fromPosition { try from.store(Int64(fromPosition)) }
        if let toPosition { try to.store(Int64(toPosition)) }
        return done
    }
}

/// memfd_create(2)
func sysMakeMemoryFile(_ name: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let flags = MemoryFileFlags(rawValue: flags.low)
        guard flags.isSubset(of: .all), !flags.isSuperset(of: [.executable, .notExecutable])
        else { throw .invalidArgument }
        var seals: FileSeals = flags.contains(.sealable) ? [] : .seal
        if flags.contains(.notExecutable) { seals = .execution }
        return try withUserPath(name) { (name) throws(Errno) in
            Int(
                try thread.process.descriptors.makeMemoryFile(
                    name,
                    permissions: flags.contains(.notExecutable) ? 0o666 : 0o777,
                    seals: seals,
                    closesOnExec: flags.contains(.closesOnExec)
                ).rawValue
            )
        }
    }
}

/// Flags of memfd_create(2).
private struct MemoryFileFlags: OptionSet {
    let rawValue: UInt32

    /// MFD_CLOEXEC
    static var closesOnExec: MemoryFileFlags { MemoryFileFlags(rawValue: 1) }
    /// MFD_ALLOW_SEALING
    static var sealable: MemoryFileFlags { MemoryFileFlags(rawValue: 2) }
    /// MFD_NOEXEC_SEAL
    static var notExecutable: MemoryFileFlags { MemoryFileFlags(rawValue: 8) }
    /// MFD_EXEC, as is what says nothing.
    static var executable: MemoryFileFlags { MemoryFileFlags(rawValue: 16) }
    static var all: MemoryFileFlags { MemoryFileFlags(rawValue: 27) }
}

/// getrandom(2)
func sysGetRandom(_ buffer: UInt, _ count: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        // GRND_NONBLOCK, GRND_RANDOM and GRND_INSECURE; the last two exclude each other.
        guard flags.low & ~7 == 0, flags.low & 6 != 6 else { throw .invalidArgument }
        return try Random.give(to: UserBuffer(address: buffer, count: count.signed))
    }
}

/// What is changed about open files, locks, and copying between them.
let fileControlRows: InlineArray<_, Row> = [
    Row(
        40,
        "sendfile",
        sysSendFile,
        .full,
        .descriptor,
        .descriptor,
        .address,
        .size,
        restart: .byAction
    ),
    Row(
        72,
        "fcntl",
        sysFileControl,
        .partial,
        .descriptor,
        .fileControl,
        .hexadecimal,
        restart: .byAction,
        note: """
            no leases, F_NOTIFY; SIGIO for pipes, AF_UNIX sockets and pseudo-terminals: that there is \
            something to read, and of pipes room to write
            """
    ),
    Row(73, "flock", sysLockFile, .full, .descriptor, .integer, restart: .byAction),
    Row(74, "fsync", sysSynchronize, .full, .descriptor),
    Row(75, "fdatasync", sysSynchronize, .full, .descriptor),
    Row(162, "sync", sysSynchronizeAll, .full),
    Row(221, "fadvise64", sysAdviseFile, .full, .descriptor, .offset, .offset, .integer),
    Row(
        285,
        "fallocate",
        sysAllocate,
        .partial,
        .descriptor,
        .hexadecimal,
        .offset,
        .offset,
        note: "no collapsing, inserting or unsharing of ranges"
    ),
    Row(306, "syncfs", sysSynchronizeFilesystem, .full, .descriptor),
    Row(318, "getrandom", sysGetRandom, .full, .output, .size, .hexadecimal),
    Row(
        319,
        "memfd_create",
        sysMakeMemoryFile,
        .partial,
        .path,
        .hexadecimal,
        result: .descriptor,
        note: "no huge pages"
    ),
    Row(
        326,
        "copy_file_range",
        sysCopyRange,
        .full,
        .descriptor,
        .address,
        .descriptor,
        .address,
        .size,
        .hexadecimal
    ),
]
