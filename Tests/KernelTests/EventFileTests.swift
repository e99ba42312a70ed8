import LinuxABI
import Testing

@testable import Kernel

/// eventfd(2) and timerfd_create(2).
@Suite struct EventFileTests {
    @Test func aCounterIsReadWholeAndASemaphoreByOnes() {
        var counter: [Result<UInt64, Errno>] = []
        var semaphore: [Result<UInt64, Errno>] = []
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let (_, first) = table.event(3, .nonBlocking)
            add(4, to: first)
            counter = [number(first), number(first)]
            let (_, second) = table.event(2, isSemaphore: true, .nonBlocking)
            semaphore = [number(second), number(second), number(second)]
        }
        #expect(counter == [.success(7), .failure(.wouldBlock)])
        #expect(semaphore == [.success(1), .success(1), .failure(.wouldBlock)])
    }

    @Test func aCounterTakesNoMoreThanItHolds() {
        var errors: [Errno?] = []
        var held: Result<UInt64, Errno>?
        _ = TaskMachine.run { machine in
            let (_, file) = machine.makeTable().event(0, .nonBlocking)
            errors = [
                add(.max, to: file), add(.max - 1, to: file), add(1, to: file), add(0, to: file),
            ]
            held = number(file)
        }
        #expect(errors == [.invalidArgument, nil, .wouldBlock, nil])
        #expect(held == .success(.max - 1))
    }

    @Test func aWriterWaitsUntilThereIsRoomAndAReaderUntilThereIsSomething() {
        var order: [String] = []
        _ = TaskMachine.run { machine in
            let (_, file) = machine.makeTable().event()
            machine.start {
                add(.max - 1, to: file)
                order.append("filled")
                add(2, to: file)
                order.append("wrote")
            }
            machine.start {
                try? Sleep.sleep(for: 100, on: .monotonic, remaining: UserPointer(0))
                order.append("reads \(number(file) == .success(.max - 1))")
            }
            try? Sleep.sleep(for: 1000, on: .monotonic, remaining: UserPointer(0))
            order.append("rest \(number(file) == .success(2))")
        }
        #expect(order == ["filled", "reads true", "wrote", "rest true"])
    }

    @Test func aShortBufferIsRefused() {
        var failure: Errno?
        _ = TaskMachine.run { machine in
            let (_, file) = machine.makeTable().event(1)
            do { _ = try read(file, 7) } catch { failure = error as? Errno }
        }
        #expect(failure == .invalidArgument)
    }

    @Test func aTimerThatRepeatsCountsWhatNobodyRead() {
        var counts: [Result<UInt64, Errno>] = []
        _ = TaskMachine.run { machine in
            _ = machine.makeTable()
            let timer = TimerFile(isRealTime: false, .nonBlocking)
            timer.set(1000, interval: 500, isAbsolute: false)
            counts.append(number(timer))
            try? Sleep.sleep(for: 2250, on: .monotonic, remaining: UserPointer(0))
            counts += [number(timer), number(timer)]
        }
        #expect(counts == [.failure(.wouldBlock), .success(3), .failure(.wouldBlock)])
    }

    @Test func aReaderWaitsForTheTimer() {
        var count: Result<UInt64, Errno>?
        var waited: Nanoseconds = 0
        _ = TaskMachine.run { machine in
            _ = machine.makeTable()
            let timer = TimerFile(isRealTime: false, [])
            let start = now()
            timer.set(start + 4000, interval: 0, isAbsolute: true)
            count = number(timer)
            waited = now() - start
        }
        #expect(count == .success(1))
        #expect(waited == 4000)
    }

    @Test func settingATimerAnewForgetsWhatItCounted() {
        var count: Result<UInt64, Errno>?
        var left: Nanoseconds = 0
        var stopped: Nanoseconds = 1
        _ = TaskMachine.run { machine in
            _ = machine.makeTable()
            let timer = TimerFile(isRealTime: false, .nonBlocking)
            timer.set(10, interval: 10, isAbsolute: false)
            try? Sleep.sleep(for: 100, on: .monotonic, remaining: UserPointer(0))
            timer.set(1000, interval: 0, isAbsolute: false)
            count = number(timer)
            left = timer.setting.remaining
            timer.set(0, interval: 0, isAbsolute: false)
            stopped = timer.setting.remaining
        }
        #expect(count == .failure(.wouldBlock))
        #expect(left == 1000)
        #expect(stopped == 0)
    }

    @Test func aTimerThatIsClosedDoesNotExpire() {
        var deadline: Nanoseconds = 0
        _ = TaskMachine.run { machine in
            _ = machine.makeTable()
            do {
                let timer = TimerFile(isRealTime: false, [])
                timer.set(1000, interval: 1000, isAbsolute: false)
            }
            deadline = TimerQueue.shared.nextDeadline
        }
        #expect(deadline == .never)
    }
}
