import Kernel
import LinuxABI

/// pidfd_open(2)
func sysOpenProcess(_ id: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let flags = OpenFlags(rawValue: flags.low)
        return Int(try thread.process.descriptors.openProcess(id.int, flags).rawValue)
    }
}

/// pidfd_send_signal(2)
func sysSendSignalByDescriptor(
    _ descriptor: UInt,
    _ signal: UInt,
    _ information: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard flags.low == 0 else { throw .invalidArgument }
        let target = try thread.process.descriptors.signalTarget(FileDescriptor(descriptor))
        let pointer = UserPointer<SignalInformation>(information)
        guard !pointer.isNull else {
            try Signals.kill(target, try signalOrNone(signal))
            return 0
        }
        let given = try pointer.load()
        guard given.signal == signal.int else { throw .invalidArgument }
        try Signals.queue(try signalOrNone(signal), given, toProcess: target)
        return 0
    }
}

/// pidfd_getfd(2)
func sysTakeDescriptor(
    _ descriptor: UInt,
    _ other: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard flags.low == 0 else { throw .invalidArgument }
        let table = thread.process.descriptors!
        let new = try table.takeFile(FileDescriptor(other), of: FileDescriptor(descriptor))
        return Int(new.rawValue)
    }
}

let processDescriptorRows: InlineArray<_, Row> = [
    Row(
        424,
        "pidfd_send_signal",
        sysSendSignalByDescriptor,
        .partial,
        .descriptor,
        .signal,
        .address,
        .hexadecimal,
        note: "EINVAL for flags: to a process alone, not to a thread or a group"
    ),
    Row(
        434,
        "pidfd_open",
        sysOpenProcess,
        .partial,
        .processID,
        .hexadecimal,
        result: .descriptor,
        note: "EINVAL for PIDFD_THREAD"
    ),
    Row(
        438,
        "pidfd_getfd",
        sysTakeDescriptor,
        .full,
        .descriptor,
        .descriptor,
        .hexadecimal,
        result: .descriptor
    ),
]
