import LinuxABI
import Testing

@testable import Kernel

@Suite struct FutexTests {
    @Test func waiterWhoseWordChangedDoesNotSleep() {
        var answer: Result<Void, Errno>?
        _ = TaskMachine.run { machine in
            machine.setWord(0, 7)
            answer = machine.attempt { () throws(Errno) in
                try Futex.wait(machine.address(0), expected: 8, isShared: false)
            }
        }
        guard case .failure(.wouldBlock)? = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
    }

    @Test func wakeLetsTheOldestWaiterGoFirst() {
        var order: [Int] = []
        var woken: [Int] = []
        let status = TaskMachine.run { machine in
            for number in 1...3 {
                machine.start {
                    try? Futex.wait(machine.address(0), expected: 0, isShared: false)
                    order.append(number)
                }
            }
            Scheduler.yield()
            woken.append((try? Futex.wake(machine.address(0), limit: 1, isShared: false)) ?? -1)
            Scheduler.yield()
            order.append(0)
            woken.append((try? Futex.wake(machine.address(0), limit: 9, isShared: false)) ?? -1)
        }
        #expect(order == [1, 0, 2, 3])
        #expect(woken == [1, 2])
        #expect(status == .exited(0))
    }

    @Test func wakeChoosesWaitersByTheirBits() {
        var order: [UInt32] = []
        _ = TaskMachine.run { machine in
            for bits in [1, 2, 4] as [UInt32] {
                machine.start {
                    try? Futex.wait(
                        machine.address(0),
                        expected: 0,
                        bits: bits,
                        isShared: false
                    )
                    order.append(bits)
                }
            }
            Scheduler.yield()
            _ = try? Futex.wake(machine.address(0), limit: 9, bits: 6, isShared: false)
            Scheduler.yield()
            order.append(0)
            _ = try? Futex.wake(machine.address(0), limit: 9, isShared: false)
        }
        #expect(order == [2, 4, 0, 1])
    }

    @Test func waitEndsAtItsDeadline() {
        var answer: Result<Void, Errno>?
        var left = -1
        _ = TaskMachine.run { machine in
            answer = machine.attempt { () throws(Errno) in
                try Futex.wait(
                    machine.address(0),
                    expected: 0,
                    until: now() + 1000,
                    isShared: false
                )
            }
            left = (try? Futex.wake(machine.address(0), limit: 9, isShared: false)) ?? -1
        }
        guard case .failure(.timedOut)? = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
        #expect(left == 0)
    }

    @Test func requeueMovesWaitersToTheSecondWord() {
        var counts: [Int] = []
        _ = TaskMachine.run { machine in
            for _ in 0..<4 {
                machine.start {
                    try? Futex.wait(machine.address(0), expected: 0, isShared: false)
                }
            }
            Scheduler.yield()
            let first = machine.address(0)
            let second = machine.address(1)
            counts.append(
                (try? Futex.requeue(
                    from: first,
                    to: second,
                    wake: 1,
                    move: 2,
                    expected: 0,
                    isShared: false
                )) ?? -1
            )
            counts.append((try? Futex.wake(first, limit: 9, isShared: false)) ?? -1)
            counts.append((try? Futex.wake(second, limit: 9, isShared: false)) ?? -1)
        }
        #expect(counts == [3, 1, 2])
    }

    @Test func wakeOperationChangesTheSecondWordAndComparesItsOldValue() {
        var counts: [Int] = []
        var value: UInt32 = 0
        _ = TaskMachine.run { machine in
            machine.setWord(1, 5)
            machine.start {
                try? Futex.wait(machine.address(0), expected: 0, isShared: false)
            }
            machine.start {
                try? Futex.wait(machine.address(1), expected: 5, isShared: false)
            }
            Scheduler.yield()
            // FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)
            let operation: UInt32 = 1 << 28 | 0 << 24 | 3 << 12 | 5
            counts.append(
                (try? Futex.wakeAfterOperation(
                    machine.address(0),
                    machine.address(1),
                    limit: 1,
                    secondLimit: 1,
                    operation: operation,
                    isShared: false
                )) ?? -1
            )
            value = machine.word(1)
        }
        #expect(counts == [2])
        #expect(value == 8)
    }

    @Test func unlockHandsTheFutexToTheOldestWaiter() {
        var order: [Int] = []
        var words: [UInt32] = []
        var ids: [UInt32] = []
        _ = TaskMachine.run { machine in
            let lock = machine.address(0)
            try? Futex.lock(lock, isTry: false, until: .never, isShared: false)
            for number in 1...2 {
                let thread = machine.start {
                    try? Futex.lock(lock, isTry: false, until: .never, isShared: false)
                    order.append(number)
                    words.append(machine.word(0))
                    try? Futex.unlock(lock, isShared: false)
                }
                ids.append(UInt32(thread.id))
            }
            Scheduler.yield()
            order.append(0)
            try? Futex.unlock(lock, isShared: false)
            for _ in 0..<4 { Scheduler.yield() }
            words.append(machine.word(0))
        }
        #expect(order == [0, 1, 2])
        #expect(words == [ids[0] | Futex.waitersBit, ids[1], 0])
    }

    @Test func lockingTwiceAndInACircleIsADeadlock() {
        var answers: [Errno?] = []
        _ = TaskMachine.run { machine in
            let first = machine.address(0)
            let second = machine.address(1)
            func lock(_ address: UInt) -> Errno? {
                do throws(Errno) {
                    try Futex.lock(address, isTry: false, until: .never, isShared: false)
                    return nil
                } catch { return error }
            }
            answers.append(lock(first))
            answers.append(lock(first))
            machine.start {
                answers.append(lock(second))
                answers.append(lock(first))
            }
            Scheduler.yield()
            answers.append(lock(second))
            try? Futex.unlock(first, isShared: false)
        }
        #expect(answers == [nil, .wouldDeadlock, nil, .wouldDeadlock, nil])
    }

    @Test func robustListMarksWordsOfADeadOwnerAndWakes() {
        var word: UInt32 = 0
        var isWoken = false
        _ = TaskMachine.run { machine in
            // The head at word 16, its entry at word 32, the futex eight bytes after the entry.
            let head = machine.address(16)
            let entry = machine.address(32)
            let owner = machine.start {
                machine.memory.storeBytes(of: entry, toByteOffset: 64, as: UInt.self)
                machine.memory.storeBytes(of: 8, toByteOffset: 72, as: Int.self)
                machine.memory.storeBytes(of: 0, toByteOffset: 80, as: UInt.self)
                machine.memory.storeBytes(of: head, toByteOffset: 128, as: UInt.self)
                let number = UInt32(Thread.current.id)
                machine.setWord(34, number | Futex.waitersBit)
                Thread.current.robustList = head
                Scheduler.yield()
            }
            let held = UInt32(owner.id) | Futex.waitersBit
            Scheduler.yield()
            try? Futex.wait(machine.address(34), expected: held, isShared: true)
            isWoken = true
            word = machine.word(34)
        }
        #expect(isWoken)
        #expect(word == Futex.waitersBit | Futex.ownerDiedBit)
    }

    @Test func conditionVariableMovesItsWaitersToThePriorityInheritanceLock() {
        var order: [Int] = []
        _ = TaskMachine.run { machine in
            let condition = machine.address(0)
            let lock = machine.address(1)
            for number in 1...2 {
                machine.start {
                    try? Futex.waitForRequeue(
                        condition,
                        expected: 0,
                        bits: Futex.anyBits,
                        until: .never,
                        second: lock,
                        isShared: false
                    )
                    order.append(number)
                    try? Futex.unlock(lock, isShared: false)
                }
            }
            Scheduler.yield()
            try? Futex.lock(lock, isTry: false, until: .never, isShared: false)
            let count = try? Futex.requeueForOwnership(
                from: condition,
                to: lock,
                wake: 1,
                move: 9,
                expected: 0,
                isShared: false
            )
            order.append(count ?? -1)
            Scheduler.yield()
            order.append(0)
            try? Futex.unlock(lock, isShared: false)
        }
        #expect(order == [2, 0, 1, 2])
    }
}
