import Kernel
import LinuxABI

/// pipe2(2)
func sysPipe2(_ pair: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let table = thread.process.descriptors!
        let (reading, writing) = try table.makePipe(OpenFlags(rawValue: flags.low))
        do throws(Errno) {
            try UserPointer<UInt32>(pair).store(reading.rawValue)
            try UserPointer<UInt32>(pair)[1].store(writing.rawValue)
        } catch {
            try table.close(reading)
            try table.close(writing)
            throw error
        }
        return 0
    }
}

/// pipe(2)
func sysPipe(_ pair: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysPipe2(pair, 0, 0, 0, 0, 0)
}

/// eventfd2(2): EFD_SEMAPHORE is 1.
func sysEvent2(_ value: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let descriptor = try thread.process.descriptors.makeEvent(
            value.low,
            isSemaphore: flags.low & 1 != 0,
            OpenFlags(rawValue: flags.low & ~1)
        )
        return Int(descriptor.rawValue)
    }
}

/// eventfd(2)
func sysEvent(_ value: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysEvent2(value, 0, 0, 0, 0, 0)
}

/// timerfd_create(2)
func sysTimerFileCreate(_ clock: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let flags = OpenFlags(rawValue: flags.low)
        let clock = ClockID(rawValue: clock.int)
        // Nothing here sleeps so deeply that an alarm would have to wake it.
        let isRealTime = clock == .realtime || clock == .realtimeAlarm
        guard isRealTime || [ClockID.monotonic, .boot, .bootAlarm].contains(clock),
            flags.isSubset(of: [.nonBlocking, .closeOnExec])
        else { throw .invalidArgument }
        let file = TimerFile(isRealTime: isRealTime, flags)
        let descriptor = try thread.process.descriptors.insert(
            file,
            closesOnExec: flags.contains(.closeOnExec)
        )
        return Int(descriptor.rawValue)
    }
}

private func timer(_ descriptor: UInt, _ thread: Thread) throws(Errno) -> TimerFile {
    guard let file = try thread.process.descriptors.file(FileDescriptor(descriptor)) as? TimerFile
    else { throw .invalidArgument }
    return file
}

private func store(_ setting: (remaining: Nanoseconds, interval: Nanoseconds), at address: UInt)
    throws(Errno)
{
    let list = UserPointer<TimeSpecification>(address)
    try list.store(TimeSpecification(nanoseconds: setting.interval))
    try list[1].store(TimeSpecification(nanoseconds: setting.remaining))
}

/// timerfd_settime(2)
func sysTimerFileSet(
    _ descriptor: UInt,
    _ flags: UInt,
    _ new: UInt,
    _ old: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let list = UserPointer<TimeSpecification>(new)
        guard let interval = try list.load().total, let value = try list[1].load().total else {
            throw .invalidArgument
        }
        // TFD_TIMER_ABSTIME; TFD_TIMER_CANCEL_ON_SET needs a clock that is set, which none is.
        guard flags.low & ~3 == 0 else { throw .invalidArgument }
        let timer = try timer(descriptor, thread)
        let before = timer.setting
        timer.set(value, interval: interval, isAbsolute: flags.low & 1 != 0)
        if old != 0 { try store(before, at: old) }
        return 0
    }
}

/// timerfd_gettime(2)
func sysTimerFileGet(_ descriptor: UInt, _ setting: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    answer { (thread) throws(Errno) in
        try store(try timer(descriptor, thread).setting, at: setting)
        return 0
    }
}

/// Files that no path names: pipes, eventfd and timerfd.
let unnamedFileRows: InlineArray<_, Row> = [
    Row(22, "pipe", sysPipe, .full, .descriptorPair),
    Row(283, "timerfd_create", sysTimerFileCreate, .full, .clock, .openFlags, result: .descriptor),
    Row(284, "eventfd", sysEvent, .full, .unsigned, result: .descriptor),
    Row(
        286,
        "timerfd_settime",
        sysTimerFileSet,
        .full,
        .descriptor,
        .hexadecimal,
        .time,
        .timeResult
    ),
    Row(287, "timerfd_gettime", sysTimerFileGet, .full, .descriptor, .timeResult),
    Row(290, "eventfd2", sysEvent2, .full, .unsigned, .hexadecimal, result: .descriptor),
    Row(293, "pipe2", sysPipe2, .full, .descriptorPair, .openFlags),
]
