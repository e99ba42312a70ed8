import LinuxABI
import Platform
import Testing

@testable import Kernel

@Suite struct TimeTests {
    @Test func timersExpireInTheOrderOfTheirDeadlines() {
        final class Probe: Timer {
            let body: () -> Void
            init(_ body: @escaping () -> Void) { self.body = body }
            override func expired(at time: Nanoseconds) { body() }
        }
        var order: [Int] = []
        _ = TaskMachine.run { _ in
            let queue = TimerQueue.shared!
            let deadlines = [50, 10, 40, 20, 30, 60]
            let timers = deadlines.map { deadline in Probe { order.append(deadline) } }
            for (timer, deadline) in zip(timers, deadlines) {
                queue.start(timer, at: UInt64(deadline))
            }
            queue.stop(timers[2])
            queue.start(timers[5], at: 5)
            queue.runDue(at: 30)
            order.append(0)
            queue.runDue(at: 100)
        }
        #expect(order == [60, 10, 20, 30, 0, 50])
    }

    @Test func sleepTakesItsTimeAndTellsWhatIsLeft() {
        var slept: Nanoseconds = 0
        var left = TimeSpecification()
        var failure: Errno?
        var hasRestart = false
        _ = TaskMachine.run { machine in
            let start = now()
            try? Sleep.sleep(for: 5000, on: .monotonic, remaining: UserPointer(0))
            slept = now() - start
            let remaining = UserPointer<TimeSpecification>(machine.address(0))
            let thread = Thread.current
            machine.start {
                try? Sleep.sleep(for: 1000, on: .monotonic, remaining: UserPointer(0))
                thread.signals.notify(thread)
            }
            do throws(Errno) {
                try Sleep.sleep(for: 5 * .second, on: .monotonic, remaining: remaining)
            } catch { failure = error }
            left = (try? remaining.load()) ?? left
            hasRestart = thread.restartBlock != nil
        }
        #expect(slept == 5000)
        #expect(failure == .interrupted)
        #expect(left.seconds == 4 && left.nanoseconds == 999_999_000)
        #expect(hasRestart)
    }

    @Test func alarmSendsItsSignalAndTellsTheTimeLeft() {
        var left: Nanoseconds = 0
        var pending: SignalSet = []
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            thread.signals.setMask(SignalSet(.alarm), of: thread)
            let timers = machine.process.timers
            timers.setInterval(.real, value: 3000, interval: 0, in: machine.process)
            try? Sleep.sleep(for: 1000, on: .monotonic, remaining: UserPointer(0))
            left = timers.interval(.real, in: machine.process).value
            try? Sleep.sleep(for: 5000, on: .monotonic, remaining: UserPointer(0))
            pending = Signals.pending(for: thread)
        }
        #expect(left == 2000)
        #expect(pending == SignalSet(.alarm))
    }

    @Test func timerCountsExpiriesUntilItsSignalIsTaken() {
        var overrun: Int32 = -1
        var taken: SignalInformation?
        var value: Nanoseconds = 0
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            thread.signals.setMask(SignalSet(rawValue: .max), of: thread)
            let timers = machine.process.timers
            let signal = Signal(rawValue: 36)
            let notification = TimerNotification(signal: signal, value: 77)
            guard let id = try? timers.create(.monotonic, notification, in: machine.process) else {
                return
            }
            _ = try? timers.set(id, value: 1000, interval: 1000, isAbsolute: false)
            try? Sleep.sleep(for: 4500, on: .monotonic, remaining: UserPointer(0))
            taken = Signals.take(SignalSet(signal), by: thread)
            overrun = (try? timers.overrun(id)) ?? -1
            value = (try? timers.get(id))?.value ?? 0
        }
        #expect(taken?.code == SignalInformation.timer)
        #expect(taken?.words[1] == 77)
        #expect(overrun == 3)
        #expect(value == 500)
    }

    @Test func timerThatTellsNobodyCountsDown() {
        var values: [Nanoseconds] = []
        _ = TaskMachine.run { machine in
            let timers = machine.process.timers
            let notification = TimerNotification(signal: nil, value: 0)
            guard let id = try? timers.create(.realtime, notification, in: machine.process) else {
                return
            }
            _ = try? timers.set(id, value: 1000, interval: 0, isAbsolute: false)
            try? Sleep.sleep(for: 400, on: .monotonic, remaining: UserPointer(0))
            values.append((try? timers.get(id))?.value ?? 9)
            try? Sleep.sleep(for: 800, on: .monotonic, remaining: UserPointer(0))
            values.append((try? timers.get(id))?.value ?? 9)
        }
        #expect(values == [600, 0])
    }

    @Test func timespecIsCheckedAndSaturates() {
        #expect(TimeSpecification(seconds: -1, nanoseconds: 0).total == nil)
        #expect(TimeSpecification(seconds: 0, nanoseconds: 1_000_000_000).total == nil)
        #expect(TimeSpecification(seconds: .max, nanoseconds: 1).total == UInt64(Int64.max))
        #expect(TimeValue(seconds: 1, microseconds: 5).total == 1_000_005_000)
    }
}
