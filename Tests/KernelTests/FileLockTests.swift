import LinuxABI
import Testing

@testable import Kernel

/// flock(2) and fcntl(2)'s locks, seen by their table.
@Suite struct FileLockTests {
    /// An owner that is no real file: only its identity counts.
    private static func owner(_ id: Int) -> FileLocks.Owner {
        owners[id]
    }
    nonisolated(unsafe) private static let tables = (0..<4).map { _ in DescriptorTable() }
    nonisolated(unsafe) private static let owners = tables.enumerated().map {
        FileLocks.Owner($0.element, of: Int32($0.offset))
    }

    private static func set(
        _ locks: FileLocks,
        _ id: Int,
        _ isExclusive: Bool?,
        _ range: Range<Int>?
    ) -> Errno? {
        do throws(Errno) {
            try locks.set(owner(id), isExclusive: isExclusive, range, waits: false)
        } catch { return error }
        return nil
    }

    /// The ranges that an owner holds, in order.
    private static func held(_ locks: FileLocks, _ id: Int) -> [Range<Int>] {
        locks.locks.filter { $0.owner == owner(id) }.compactMap(\.range)
            .sorted { $0.lowerBound < $1.lowerBound }
    }

    @Test func manyMayShareAndOneMayExclude() {
        var errors: [Errno?] = []
        _ = TaskMachine.run { _ in
            let locks = FileLocks()
            errors = [
                Self.set(locks, 0, false, 0..<10), Self.set(locks, 1, false, 5..<20),
                Self.set(locks, 2, true, 9..<10), Self.set(locks, 2, true, 20..<30),
                Self.set(locks, 0, false, 25..<26),
            ]
        }
        #expect(errors == [nil, nil, .wouldBlock, nil, .wouldBlock])
    }

    @Test func oneOwnersLocksJoinAndSplit() {
        var rounds: [[Range<Int>]] = []
        _ = TaskMachine.run { _ in
            let locks = FileLocks()
            _ = Self.set(locks, 0, true, 0..<10)
            _ = Self.set(locks, 0, true, 10..<20)
            rounds.append(Self.held(locks, 0))
            _ = Self.set(locks, 0, nil, 5..<7)
            rounds.append(Self.held(locks, 0))
            // Another kind in the midst of one.
            _ = Self.set(locks, 0, false, 10..<12)
            rounds.append(Self.held(locks, 0))
        }
        #expect(rounds == [[0..<20], [0..<5, 7..<20], [0..<5, 7..<10, 10..<12, 12..<20]])
    }

    @Test func theWholeFilesLockAndRangesDoNotMeet() {
        var errors: [Errno?] = []
        _ = TaskMachine.run { _ in
            let locks = FileLocks()
            errors = [
                Self.set(locks, 0, true, nil), Self.set(locks, 1, true, 0..<10),
                Self.set(locks, 2, false, nil),
            ]
        }
        #expect(errors == [nil, nil, .wouldBlock])
    }

    @Test func aConflictTellsTheFirstLockInTheWay() {
        var found: (Range<Int>?, Bool, Int32)?
        _ = TaskMachine.run { _ in
            let locks = FileLocks()
            _ = Self.set(locks, 2, true, 40..<50)
            guard let lock = locks.conflict(Self.owner(1), false, 45..<100) else { return }
            found = (lock.range, lock.isExclusive, lock.owner.process)
        }
        #expect(found?.0 == 40..<50)
        #expect(found?.1 == true)
        #expect(found?.2 == 2)
    }

    @Test func aWaiterGetsTheLockWhenItsOwnerLetsGo() {
        var order: [String] = []
        _ = TaskMachine.run { machine in
            let locks = FileLocks()
            _ = Self.set(locks, 0, true, 0..<10)
            machine.start {
                try? locks.set(Self.owner(1), isExclusive: true, 5..<6, waits: true)
                order.append("locked")
            }
            try? Sleep.sleep(for: 10, on: .monotonic, remaining: UserPointer(0))
            order.append("releases")
            locks.releaseAll(Self.owner(0))
            try? Sleep.sleep(for: 10, on: .monotonic, remaining: UserPointer(0))
            order.append("held \(Self.held(locks, 1) == [5..<6])")
        }
        #expect(order == ["releases", "locked", "held true"])
    }

    @Test func aSignalEndsTheWaitForALock() {
        var failure: Errno?
        _ = TaskMachine.run { machine in
            let locks = FileLocks()
            _ = Self.set(locks, 0, true, nil)
            let thread = Thread.current
            machine.start { thread.signals.notify(thread) }
            do throws(Errno) {
                try locks.set(Self.owner(1), isExclusive: false, nil, waits: true)
            } catch { failure = error }
        }
        #expect(failure == .interrupted)
    }

    @Test func closingAnyDescriptorDropsAProcessesLocksAndAnOpenFilesGoWithItsLast() throws {
        try withFiles { process in
            let table = process.descriptors!
            let first = try open("/tmp/a", [.create, .readWrite])
            let second = try open("/tmp/a", .readWrite)
            let kept = try table.insert(first, closesOnExec: false)
            let closed = try table.insert(second, closesOnExec: false)
            try first.lock(0..<10, of: process, isExclusive: true, waits: false)
            try first.lock(isExclusive: true, waits: false)
            #expect(fails(.wouldBlock) { try second.lock(isExclusive: false, waits: false) })
            #expect(first.inode?.locks?.locks.count == 2)
            try table.close(closed)
            #expect(first.inode?.locks?.locks.count == 1)
            try table.close(kept)
        }
    }
}
