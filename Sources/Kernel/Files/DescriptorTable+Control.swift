import LinuxABI

/// Duplicating descriptors and changing what belongs to them or to their open files.
extension DescriptorTable {
    /// As dup(2), and fcntl(F_DUPFD).
    public func duplicate(
        _ descriptor: FileDescriptor,
        from start: Int = 0,
        closesOnExec: Bool = false
    ) throws(Errno) -> FileDescriptor {
        let limit = Process.current.limits[.openFiles].current
        let file = try file(descriptor)
        guard start >= 0, UInt64(start) < limit || start == 0 else { throw .invalidArgument }
        return try insert(file, closesOnExec: closesOnExec, from: start)
    }

    /// As dup3(2).
    public func duplicate(
        _ descriptor: FileDescriptor,
        to target: FileDescriptor,
        closesOnExec: Bool
    ) throws(Errno) {
        try replace(target, with: try file(descriptor), closesOnExec: closesOnExec)
    }

    /// As ioctl(2).
    public func control(_ descriptor: FileDescriptor, _ request: UInt32, _ argument: UInt)
        throws(Errno) -> Int
    {
        let file = try file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        switch request {
        case ControlRequest.setCloseOnExec: try setClosesOnExec(descriptor, true)
        case ControlRequest.clearCloseOnExec: try setClosesOnExec(descriptor, false)
        case ControlRequest.setNonBlocking:
            let isOn = try UserPointer<Int32>(argument).load() != 0
            if isOn { file.flags.insert(.nonBlocking) } else { file.flags.remove(.nonBlocking) }
        case ControlRequest.setAsynchronous:
            let isOn = try UserPointer<Int32>(argument).load() != 0
            guard file.tellsNews || !isOn else { throw .notTerminal }
            file.setTelling(isOn, descriptor)
        default: return try file.control(request, argument)
        }
        return 0
    }

    /// As fcntl(F_SETFL): the flags that may not change are ignored.
    public func setStatusFlags(_ descriptor: FileDescriptor, _ flags: OpenFlags) throws(Errno) {
        let file = try file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        let kept = OpenFlags.changeable.subtracting(.asynchronous)
        file.flags = file.flags.subtracting(kept).union(flags.intersection(kept))
        file.setTelling(flags.contains(.asynchronous), descriptor)
    }

    /// As lseek(2).
    public func seek(_ descriptor: FileDescriptor, _ offset: Int, _ origin: SeekOrigin)
        throws(Errno) -> Int
    {
        let file = try lend(descriptor).takeUnretainedValue()
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        return try file.seek(offset, origin)
    }
}
