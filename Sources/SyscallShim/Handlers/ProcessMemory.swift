import Kernel
import LinuxABI

/// UIO_MAXIOV
private let mostRanges: UInt = 1024

private func transfer(
    _ id: UInt,
    _ local: UInt,
    _ localCount: UInt,
    _ remote: UInt,
    _ remoteCount: UInt,
    _ flags: UInt,
    _ move: (ProcessMemory, inout RemoteRanges, inout Transfer) throws(Errno) -> Int
) -> Int {
    answer { (thread) throws(Errno) in
        guard flags == 0, localCount <= mostRanges else { throw .invalidArgument }
        return try thread.process.descriptors.withVector(local, Int(localCount)) {
            (own) throws(Errno) in
            guard own.remaining > 0 else { return 0 }
            guard remoteCount <= mostRanges else { throw .invalidArgument }
            let memory = try KernelBuffer(
                Int(remoteCount) * MemoryLayout<TransferSegment>.stride
            )
            try UserMemory.read(memory.bytes, at: remote)
            var ranges = try RemoteRanges(
                UnsafeBufferPointer(memory.bytes.bindMemory(to: TransferSegment.self))
            )
            guard !ranges.isEmpty else { return 0 }
            return try move(try ProcessMemory(id.int), &ranges, &own)
        }
    }
}

/// process_vm_readv(2)
func sysReadProcess(
    _ id: UInt,
    _ local: UInt,
    _ localCount: UInt,
    _ remote: UInt,
    _ remoteCount: UInt,
    _ flags: UInt
) -> Int {
    transfer(id, local, localCount, remote, remoteCount, flags) {
        (memory, ranges, own) throws(Errno) in try memory.read(&ranges, &own)
    }
}

/// process_vm_writev(2)
func sysWriteProcess(
    _ id: UInt,
    _ local: UInt,
    _ localCount: UInt,
    _ remote: UInt,
    _ remoteCount: UInt,
    _ flags: UInt
) -> Int {
    transfer(id, local, localCount, remote, remoteCount, flags) {
        (memory, ranges, own) throws(Errno) in try memory.write(&ranges, &own)
    }
}

/// kcmp(2)
func sysCompare(
    _ first: UInt,
    _ second: UInt,
    _ kind: UInt,
    _ firstIndex: UInt,
    _ secondIndex: UInt,
    _: UInt
) -> Int {
    answer { () throws(Errno) in
        let left = try Comparison.process(first.int)
        let right = try Comparison.process(second.int)
        try Comparison.check(left)
        try Comparison.check(right)
        guard let kind = Comparison.Kind(rawValue: kind.low) else { throw .invalidArgument }
        switch kind {
        case .file:
            return Comparison.compare(
                try Comparison.file(firstIndex, of: left),
                try Comparison.file(secondIndex, of: right)
            )
        case .watched:
            // struct kcmp_epoll_slot: the epoll, the descriptor that it watches, which of them.
            let slot = UserPointer<UInt32>(secondIndex)
            let (epoll, watched, place) = (try slot.load(), try slot[1].load(), try slot[2].load())
            let file = try Comparison.file(firstIndex, of: left)
            guard let epoll = try Comparison.file(UInt(epoll), of: right) as? EpollFile else {
                throw .invalidArgument
            }
            let target = try epoll.watchedFile(FileDescriptor(UInt(watched)), Int(place))
            return Comparison.compare(file, target)
        default: return Comparison.compare(kind, left, right)
        }
    }
}

let processMemoryRows: InlineArray<_, Row> = [
    Row(
        310,
        "process_vm_readv",
        sysReadProcess,
        .full,
        .processID,
        .address,
        .unsigned,
        .address,
        .unsigned,
        .hexadecimal
    ),
    Row(
        311,
        "process_vm_writev",
        sysWriteProcess,
        .full,
        .processID,
        .address,
        .unsigned,
        .address,
        .unsigned,
        .hexadecimal
    ),
    Row(
        312,
        "kcmp",
        sysCompare,
        .partial,
        .processID,
        .processID,
        .integer,
        .hexadecimal,
        .hexadecimal,
        note:
            "KCMP_SYSVSEM: processes that undo no semaphore operation have the same, with threads too"
    ),
]
