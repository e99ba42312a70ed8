import Platform

/// Clocks and the timer. The processor's counter is measured against the APIC's timer, which ticks
/// once a nanosecond under QEMU and KVM, where nobody tells how fast it is.
enum MachineTime {
    /// Nanoseconds of 2^32 cycles.
    nonisolated(unsafe) private static var rate: UInt64 = 1 << 32
    nonisolated(unsafe) private static var firstCycles: UInt64 = 0
    /// Whether the APIC takes deadlines of the counter.
    nonisolated(unsafe) private static var hasDeadlines = false
    /// Nanoseconds since 1970 when the counter stood at `firstCycles`.
    nonisolated(unsafe) private static var firstTime: UInt64 = 0

    static func start() {
        let moment = HypervisorClock.moment ?? (cycle_counter(), RealTimeClock.read())
        (firstCycles, firstTime) = moment
        if let rate = HypervisorClock.rate { self.rate = rate } else { measure() }
        hasDeadlines = InterruptController.startDeadlines()
        machine_boot_information().pointee.user_clock = vdso_data(
            host_clock: 0,
            rate: rate,
            first_cycles: firstCycles,
            first_time: firstTime
        )
    }

    /// Halts for two milliseconds, so that measuring costs a guest no work, or for a few more.
    ///
    /// An interrupt comes late on a busy host: how late, the timer's own count tells. One that comes
    /// later than the next is due cannot be told apart from it: two periods must agree.
    private static func measure() {
        let period: UInt32 = 1_000_000
        InterruptController.startPeriods(period)
        defer { InterruptController.stopPeriods() }
        var (begin, late): (UInt64, UInt32) = (cycle_counter(), 0)
        var last: UInt64 = 0
        for _ in 0..<16 {
            while cpu_take_pending() & UInt32(CPU_PENDING_TIMER) == 0 { halt() }
            let (end, left) = (cycle_counter(), min(InterruptController.ticksLeft, period))
            let ticks = UInt64(period) &+ UInt64(period &- left) &- UInt64(late)
            rate = max(ticks << 32 / max(end &- begin, 1), 1)
            let difference = rate > last ? rate &- last : last &- rate
            if difference <= rate >> 10 { return }
            (begin, late, last) = (end, period &- left, rate)
        }
    }

    static func readClock(_ clock: UInt32) -> UInt64 {
        let (high, low) = (cycle_counter() &- firstCycles).multipliedFullWidth(by: rate)
        let time = high << 32 | low >> 32
        return clock == PLATFORM_CLOCK_REALTIME.rawValue ? firstTime &+ time : time
    }

    /// What the kernel asked for last.
    nonisolated(unsafe) private static var askedDeadline = UInt64.max

    static func setTimer(_ deadline: UInt64) {
        askedDeadline = deadline
        startTimer(deadline)
    }

    /// Halts until `isDone`, which a device's interrupt changes, or until `limit` nanoseconds have
    /// passed; whether it is done. It does not halt where interrupts are off, or where there are none to
    /// wait for (`halts`), and leaves the kernel's timer as it was.
    static func wait(limit: UInt64, halts: Bool = true, _ isDone: () -> Bool) -> Bool {
        let hadInterrupts = interrupts_take_off() != 0
        let mayHalt = halts && hadInterrupts
        defer { if hadInterrupts { interrupts_enable() } }
        if isDone() { return true }
        let end = readClock(PLATFORM_CLOCK_MONOTONIC.rawValue) &+ limit
        defer { startTimer(askedDeadline) }
        while readClock(PLATFORM_CLOCK_MONOTONIC.rawValue) < end {
            if mayHalt {
                startTimer(end)
                halt()
                interrupts_disable()
            }
            if isDone() { return true }
        }
        return false
    }

    private static func startTimer(_ deadline: UInt64) {
        guard deadline != .max else { return stopTimer() }
        let time = readClock(PLATFORM_CLOCK_MONOTONIC.rawValue)
        let length = deadline > time ? deadline - time : 1
        guard hasDeadlines else {
            // A deadline further off costs an interrupt that finds nothing to do.
            return InterruptController.setTimer(UInt32(min(length, UInt64(UInt32.max))))
        }
        let (high, low) = length.multipliedFullWidth(by: UInt64.max / rate)
        InterruptController.setDeadline(cycle_counter() &+ (high << 32 | low >> 32) &+ 1)
    }

    private static func stopTimer() {
        if hasDeadlines {
            InterruptController.setDeadline(0)
        } else {
            InterruptController.setTimer(0)
        }
    }
}

/// The battery-backed clock (MC146818).
enum RealTimeClock {
    private static func register(_ number: UInt8) -> UInt64 {
        port_write8(0x70, number)
        return UInt64(port_read8(0x71))
    }

    /// Nanoseconds since 1970, to the second.
    static func read() -> UInt64 {
        let isUpdating: UInt64 = 0x80
        // A clock that is not there reads as all ones.
        guard register(0x0a) != 0xff else { return 0 }
        var last: UInt64 = 0
        // Twice the same: it did not change in between.
        while true {
            while register(0x0a) & isUpdating != 0 {}
            let seconds = readOnce()
            if seconds == last { return seconds &* 1_000_000_000 }
            last = seconds
        }
    }

    private static func readOnce() -> UInt64 {
        let isBinary = register(0x0b) & 4 != 0
        func number(_ register: UInt8) -> UInt64 {
            let value = self.register(register)
            return isBinary ? value : (value >> 4) * 10 + (value & 15)
        }
        let year = 2000 + number(9)
        return seconds(year, number(8), number(7)) + number(4) * 3600 + number(2) * 60 + number(0)
    }

    /// Seconds from 1970 to a day of the Gregorian calendar.
    private static func seconds(_ year: UInt64, _ month: UInt64, _ day: UInt64) -> UInt64 {
        // Years begin in March, so that a leap day is the last of its year.
        let shifted = month > 2 ? month - 3 : month + 9
        let years = month > 2 ? year : year - 1
        let days =
            years * 365 + years / 4 - years / 100 + years / 400
            + (shifted * 153 + 2) / 5 + day
        return (days - 719_469) * 86_400
    }
}
