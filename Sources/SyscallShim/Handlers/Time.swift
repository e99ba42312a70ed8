import Kernel
import LinuxABI

/// Reads a timespec that must be one. Throws `invalidArgument`.
private func time(at address: UInt) throws(Errno) -> Nanoseconds {
    guard let total = try UserPointer<TimeSpecification>(address).load().total else {
        throw .invalidArgument
    }
    return total
}

private func clock(_ register: UInt) -> ClockID { ClockID(rawValue: register.int) }

/// TIMER_ABSTIME
private let absoluteFlag: UInt32 = 1

/// time(2)
func sysTime(_ result: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        let seconds = Int(Clock.realtime() / .second)
        if result != 0 { try UserPointer<Int>(result).store(seconds) }
        return seconds
    }
}

/// gettimeofday(2)
func sysTimeOfDay(_ value: UInt, _ zone: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        if value != 0 {
            try UserPointer<TimeValue>(value).store(TimeValue(nanoseconds: Clock.realtime()))
        }
        // The kernel's own time zone, which is always UTC.
        if zone != 0 { try UserPointer<UInt64>(zone).store(0) }
        return 0
    }
}

/// clock_gettime(2)
@_optimize(speed)
func sysClockTime(_ id: UInt, _ result: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        let time = TimeSpecification(nanoseconds: try Clock.read(clock(id)))
        try UserPointer<TimeSpecification>(result).store(time)
        return 0
    }
}

/// clock_getres(2)
func sysClockResolution(_ id: UInt, _ result: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        let resolution = try Clock.resolution(clock(id))
        if result != 0 {
            try UserPointer<TimeSpecification>(result).store(
                TimeSpecification(nanoseconds: resolution)
            )
        }
        return 0
    }
}

/// nanosleep(2)
func sysSleep(_ length: UInt, _ remaining: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        try Sleep.sleep(
            for: try time(at: length),
            on: .monotonic,
            remaining: UserPointer(remaining)
        )
        return 0
    }
}

/// clock_nanosleep(2)
func sysClockSleep(
    _ id: UInt,
    _ flags: UInt,
    _ request: UInt,
    _ remaining: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { () throws(Errno) in
        let clock = clock(id)
        _ = try Clock.deadline(at: 0, on: clock)
        let time = try time(at: request)
        if flags.low & absoluteFlag != 0 {
            try Sleep.sleep(until: time, on: clock)
        } else {
            try Sleep.sleep(for: time, on: clock, remaining: UserPointer(remaining))
        }
        return 0
    }
}

/// alarm(2)
func sysAlarm(_ seconds: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let process = thread.process!
        let left = process.timers.interval(.real, in: process).value
        process.timers.setInterval(
            .real,
            value: UInt64(seconds.low) * .second,
            interval: 0,
            in: process
        )
        // Rounded, but never to zero while an alarm was set: alarm_setitimer.
        let whole = left / .second
        let rest = left % .second
        return Int(whole + (rest >= .second / 2 || (whole == 0 && rest > 0) ? 1 : 0))
    }
}

private func intervalKind(_ register: UInt) throws(Errno) -> IntervalTimer.Kind {
    guard let kind = IntervalTimer.Kind(rawValue: Int(register.int)) else {
        throw .invalidArgument
    }
    return kind
}

private func timerValue(_ process: Process, _ kind: IntervalTimer.Kind) -> TimerValue {
    let state = process.timers.interval(kind, in: process)
    return TimerValue(
        interval: TimeValue(nanoseconds: state.interval),
        value: TimeValue(nanoseconds: state.value)
    )
}

/// getitimer(2)
func sysGetIntervalTimer(_ which: UInt, _ value: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let kind = try intervalKind(which)
        try UserPointer<TimerValue>(value).store(timerValue(thread.process, kind))
        return 0
    }
}

/// setitimer(2)
func sysSetIntervalTimer(
    _ which: UInt,
    _ new: UInt,
    _ old: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let process = thread.process!
        let kind = try intervalKind(which)
        let request = new == 0 ? TimerValue() : try UserPointer<TimerValue>(new).load()
        guard let value = request.value.total, let interval = request.interval.total else {
            throw .invalidArgument
        }
        let before = timerValue(process, kind)
        process.timers.setInterval(kind, value: value, interval: interval, in: process)
        if old != 0 { try UserPointer<TimerValue>(old).store(before) }
        return 0
    }
}

/// timer_create(2)
func sysPosixTimerCreate(_ id: UInt, _ event: UInt, _ timer: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    answer { (thread) throws(Errno) in
        let process = thread.process!
        var notification = TimerNotification(signal: .alarm, value: 0, valueIsTimer: true)
        if event != 0 {
            notification = try timerNotification(
                try UserPointer<SignalEvent>(event).load(),
                process
            )
        }
        let created = try process.timers.create(clock(id), notification, in: process)
        do throws(Errno) { try UserPointer<Int32>(timer).store(created) } catch {
            try process.timers.delete(created)
            throw error
        }
        return 0
    }
}

private func timerNotification(_ event: SignalEvent, _ process: Process) throws(Errno)
    -> TimerNotification
{
    if event.notify == SignalEvent.none {
        return TimerNotification(signal: nil, value: event.value)
    }
    guard let signal = Signal(number: Int(event.signal)) else { throw .invalidArgument }
    switch event.notify {
    case SignalEvent.signal, SignalEvent.thread:
        return TimerNotification(signal: signal, value: event.value)
    case SignalEvent.threadID:
        guard let thread = ThreadTable.thread(event.threadID), thread.process === process else {
            throw .invalidArgument
        }
        return TimerNotification(signal: signal, value: event.value, thread: event.threadID)
    default: throw .invalidArgument
    }
}

private func store(
    _ state: (value: Nanoseconds, interval: Nanoseconds),
    at address: UInt
) throws(Errno) {
    try UserPointer<TimerSpecification>(address).store(
        TimerSpecification(
            interval: TimeSpecification(nanoseconds: state.interval),
            value: TimeSpecification(nanoseconds: state.value)
        )
    )
}

/// timer_settime(2)
func sysPosixTimerSet(
    _ timer: UInt,
    _ flags: UInt,
    _ new: UInt,
    _ old: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard new != 0 else { throw .invalidArgument }
        let request = try UserPointer<TimerSpecification>(new).load()
        guard let value = request.value.total, let interval = request.interval.total else {
            throw .invalidArgument
        }
        let before = try thread.process.timers.set(
            timer.int,
            value: value,
            interval: interval,
            isAbsolute: flags.low & absoluteFlag != 0
        )
        if old != 0 { try store(before, at: old) }
        return 0
    }
}

/// timer_gettime(2)
func sysPosixTimerGet(_ timer: UInt, _ value: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try store(try thread.process.timers.get(timer.int), at: value)
        return 0
    }
}

/// timer_getoverrun(2)
func sysPosixTimerOverrun(_ timer: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in Int(try thread.process.timers.overrun(timer.int)) }
}

/// timer_delete(2)
func sysPosixTimerDelete(_ timer: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.timers.delete(timer.int)
        return 0
    }
}

let timeRows: InlineArray<_, Row> = [
    Row(201, "time", sysTime, .full, .address),
    Row(96, "gettimeofday", sysTimeOfDay, .full, .timeResult, .address),
    Row(228, "clock_gettime", sysClockTime, .full, .clock, .timeResult),
    Row(229, "clock_getres", sysClockResolution, .full, .clock, .timeResult),
    Row(refused: 227, "clock_settime", errno: 1, note: "the clock is the host's"),
    Row(refused: 164, "settimeofday", errno: 1, note: "the clock is the host's"),
    Row(
        159,
        "adjtimex",
        sysAdjustTime,
        .partial,
        .address,
        note: "tells of a clock that nobody corrects; EPERM for changes, as the clock is the host's"
    ),
    Row(305, "clock_adjtime", sysAdjustClock, .partial, .clock, .address, note: "as adjtimex"),
    Row(35, "nanosleep", sysSleep, .full, .time, .address, restart: .remaining),
    Row(
        230,
        "clock_nanosleep",
        sysClockSleep,
        .full,
        .clock,
        .integer,
        .time,
        .address,
        restart: .remaining
    ),
    Row(37, "alarm", sysAlarm, .full, .unsigned),
    Row(36, "getitimer", sysGetIntervalTimer, .full, .integer, .address),
    Row(
        38,
        "setitimer",
        sysSetIntervalTimer,
        .partial,
        .integer,
        .address,
        .address,
        note: "ITIMER_VIRTUAL counts the kernel's time too"
    ),
    Row(222, "timer_create", sysPosixTimerCreate, .full, .clock, .address, .address),
    Row(223, "timer_settime", sysPosixTimerSet, .full, .integer, .hexadecimal, .address, .address),
    Row(224, "timer_gettime", sysPosixTimerGet, .full, .integer, .address),
    Row(225, "timer_getoverrun", sysPosixTimerOverrun, .full, .integer),
    Row(226, "timer_delete", sysPosixTimerDelete, .full, .integer),
]
