import LinuxABI

/// How strace(1) shows each kind of argument.
extension TraceBuffer {
    /// Appends the arguments that are known before the call, with the comma that leads to the next;
    /// returns the index of the first that is not.
    mutating func append(argumentsBefore call: CallArguments) -> Int {
        var isFirst = true
        for index in 0..<6 where call.kinds[index] != .none {
            if !isFirst { append(", ") }
            isFirst = false
            if call.isShownAfter(index) { return index }
            append(argument: index, of: call)
        }
        return 6
    }

    /// Appends the arguments from `first` on, after the call.
    mutating func append(argumentsAfter call: CallArguments, from first: Int) {
        var isFirst = true
        for index in first..<max(first, 6) where call.kinds[index] != .none {
            if !isFirst { append(", ") }
            isFirst = false
            append(argument: index, of: call)
        }
    }

    mutating func append(argument index: Int, of call: CallArguments) {
        let value = call.registers[index]
        let kind = call.kinds[index]
        if appendNumber(value, kind) || appendName(value, kind) { return }
        if call.isShownAfter(index), call.failed, kind != .timeRemaining {
            return append(address: value)
        }
        if appendData(value, kind, index, call) || appendRecord(value, kind, call) { return }
        append(hexadecimal: UInt64(value))
    }

    // MARK: Numbers

    private mutating func appendNumber(_ value: UInt, _ kind: Argument) -> Bool {
        switch kind {
        case .integer, .descriptor, .processID: append(TraceBuffer.signed(value))
        case .directory:
            let descriptor = Int32(truncatingIfNeeded: value)
            if descriptor == PathFlags.workingDirectory {
                append("AT_FDCWD")
            } else {
                append(Int(descriptor))
            }
        case .user, .group:
            let number = Int32(truncatingIfNeeded: value)
            if number == -1 { append("-1") } else { append(UInt64(UInt32(bitPattern: number))) }
        case .unsigned, .size: append(UInt64(value))
        case .offset: append(Int(bitPattern: value))
        case .octal: append(octal: UInt64(value))
        case .hexadecimal: append(hexadecimal: UInt64(value))
        case .address: append(address: value)
        default: return false
        }
        return true
    }

    /// An `int` or a `long`: the upper half of a register that holds an `int` says nothing.
    static func signed(_ value: UInt) -> Int {
        value >> 32 == 0 ? Int(Int32(truncatingIfNeeded: value)) : Int(bitPattern: value)
    }

    // MARK: Names

    private mutating func appendName(_ value: UInt, _ kind: Argument) -> Bool {
        let low = UInt64(value & 0xffff_ffff)
        if let table = TraceBuffer.valueNames(kind) {
            append(low, named: table)
            return true
        }
        if let table = TraceBuffer.flagNames(kind) {
            append(low, flags: table)
            return true
        }
        switch kind {
        case .openFlags: append(low, field: .access, mask: 3, flags: .open)
        case .socketType: append(low, field: .socketType, mask: 0xf, flags: .socketFlags)
        case .mappingFlags: append(low, field: .sharing, mask: 0xf, flags: .mapping)
        case .mode: append(mode: UInt32(low))
        case .ipcFlags: append(ipcFlags: low)
        case .signal: append(signal: Int32(truncatingIfNeeded: value))
        case .cloneFlags: append(cloneFlags: UInt64(value))
        case .futexOperation: append(futexOperation: low)
        case .futexBits:
            if low == 0xffff_ffff {
                append("FUTEX_BITSET_MATCH_ANY")
            } else {
                append(hexadecimal: low)
            }
        case .descriptorOptions: append(low == 1 ? "FD_CLOEXEC" : "0")
        default: return false
        }
        return true
    }

    private static func valueNames(_ kind: Argument) -> NameTable? {
        switch kind {
        case .whence: .whence
        case .fileControl: .fileControl
        case .ioctlRequest: .inputOutputControl
        case .epollOperation: .epollOperation
        case .advice: .advice
        case .maskOperation: .maskOperation
        case .resource: .resource
        case .usageWho: .usageWho
        case .schedulingPolicy: .scheduling
        case .processControl: .processControl
        case .architectureControl: .architectureControl
        case .clock: .clock
        case .intervalKind: .interval
        case .socketFamily: .socketFamily
        case .socketLevel: .socketLevel
        case .socketOption: .socketOption
        case .shutdownHow: .shutdownHow
        default: nil
        }
    }

    private static func flagNames(_ kind: Argument) -> NameTable? {
        switch kind {
        case .descriptorFlags: .open
        case .accessMode: .accessMode
        case .atFlags: .atFlags
        case .statxMask: .statxMask
        case .allocationMode: .allocation
        case .renameFlags: .rename
        case .attributeFlags: .attribute
        case .lockOperation: .lockOperation
        case .transferFlags: .transfer
        case .spliceFlags: .splice
        case .watchEvents: .watch
        case .mountFlags: .mount
        case .unmountFlags: .unmount
        case .rangeSyncFlags: .rangeSync
        case .closeRangeFlags: .closeRange
        case .memoryFileFlags: .memoryFile
        case .epollFlags: .epoll
        case .eventFlags: .event
        case .timerDescriptorFlags: .timerDescriptor
        case .protection: .protection
        case .remapFlags: .remap
        case .synchronizeFlags: .synchronize
        case .lockFlags: .lock
        case .waitOptions: .wait
        case .randomFlags: .random
        case .timerFlags: .timer
        case .socketFlags: .socketFlags
        case .messageFlags: .message
        default: nil
        }
    }

    /// `S_IFREG|0644`
    mutating func append(mode: UInt32) {
        if mode & 0xf000 != 0 {
            append(UInt64(mode & 0xf000), named: .fileType)
            append("|")
        }
        append(octal: UInt64(mode & 0xfff))
    }

    /// `IPC_CREAT|0600`
    private mutating func append(ipcFlags value: UInt64) {
        if value & ~0o777 != 0 {
            append(value & ~0o777, flags: .ipc)
            guard value & 0o777 != 0 else { return }
            append("|")
        }
        append(octal: value & 0o777)
    }

    private mutating func append(cloneFlags value: UInt64) {
        let flags = value & ~0xff
        if flags != 0 || value == 0 { append(flags, flags: .clone) }
        guard value & 0xff != 0 else { return }
        if flags != 0 { append("|") }
        append(signal: Int32(value & 0xff))
    }

    /// The operation, FUTEX_PRIVATE_FLAG as part of its name, FUTEX_CLOCK_REALTIME.
    private mutating func append(futexOperation value: UInt64) {
        append(value & 0x7f, named: .futex)
        if value & 0x80 != 0 { append("_PRIVATE") }
        if value & 0x100 != 0 { append("|FUTEX_CLOCK_REALTIME") }
        if value & ~0x1ff != 0 {
            append("|")
            append(hexadecimal: value & ~0x1ff)
        }
    }

    // MARK: Signals

    /// `SIGINT`, `SIGRT_3`
    mutating func append(signal number: Int32) {
        guard number > 0, number <= 64 else { return append(Int(number)) }
        if let name = NameTable.signal.name(UInt64(number)) { return append(name) }
        append("SIGRT_")
        append(Int(number - 32))
    }

    /// `[INT TERM]`, or `~[KILL]` when most are in the set.
    mutating func append(signals: UInt64) {
        let isInverted = signals.nonzeroBitCount > 42
        var rest = isInverted ? ~signals : signals
        append(isInverted ? "~[" : "[")
        var isFirst = true
        while rest != 0 {
            if !isFirst { append(" ") }
            isFirst = false
            let start = count
            append(signal: Int32(rest.trailingZeroBitCount + 1))
            removePrefix(3, at: start)
            rest &= rest &- 1
        }
        append("]")
    }

    /// Takes out `length` bytes at `start`.
    private mutating func removePrefix(_ length: Int, at start: Int) {
        guard count >= start + length else { return }
        (base + start).update(from: base + start + length, count: count - start - length)
        truncate(to: count - length)
    }
}
