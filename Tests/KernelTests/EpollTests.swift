import LinuxABI
import Testing

@testable import Kernel

@Suite struct EpollTests {
    // EPOLLEXCLUSIVE, EPOLLONESHOT, EPOLLET
    private static let exclusive: UInt32 = 1 << 28
    private static let oneShot: UInt32 = 1 << 30
    private static let edge: UInt32 = 1 << 31
    private static let readable = PollEvents.readable.rawValue
    private static let writable = PollEvents.writable.rawValue

    /// What an epoll tells without waiting, or until a deadline: the data of each event.
    private static func wait(
        _ epoll: EpollFile,
        _ limit: Int = 16,
        until deadline: Nanoseconds = 0
    ) -> [UInt64] {
        var found: [UInt64] = []
        _ = try? epoll.wait(limit, until: deadline) { (event) throws(Errno) in
            found.append(event.data)
        }
        return found
    }

    private static func change(
        _ operation: Epoll.Operation,
        _ epoll: EpollFile,
        _ watched: (FileDescriptor, OpenFile),
        _ events: UInt32 = readable,
        data: UInt64 = 0
    ) -> Errno? {
        do throws(Errno) {
            try epoll.change(
                operation,
                watched.0,
                watched.1,
                Epoll.Event(events: events, data: data)
            )
        } catch { return error }
        return nil
    }

    @discardableResult
    private static func add(
        _ epoll: EpollFile,
        _ watched: (FileDescriptor, OpenFile),
        _ events: UInt32 = readable,
        data: UInt64 = 0
    ) -> Errno? { change(.add, epoll, watched, events, data: data) }

    /// Runs a process's first thread with a table and an epoll.
    private static func run(_ body: @escaping (TaskMachine, DescriptorTable, EpollFile) -> Void) {
        _ = TaskMachine.run { machine in body(machine, machine.makeTable(), EpollFile()) }
    }

    @Test func aLevelIsToldAsLongAsItLasts() {
        var rounds: [[UInt64]] = []
        Self.run { _, table, epoll in
            let event = table.event(1)
            Self.add(epoll, event, data: 7)
            rounds = [Self.wait(epoll), Self.wait(epoll)]
            _ = number(event.1)
            rounds.append(Self.wait(epoll))
        }
        #expect(rounds == [[7], [7], []])
    }

    @Test func anEdgeIsToldOnceForEachThatComes() {
        var rounds: [[UInt64]] = []
        Self.run { _, table, epoll in
            let event = table.event(1)
            Self.add(epoll, event, Self.readable | Self.edge, data: 7)
            rounds = [Self.wait(epoll), Self.wait(epoll)]
            // Another write is another edge, though nothing was read.
            KernelTests.add(1, to: event.1)
            rounds += [Self.wait(epoll), Self.wait(epoll)]
        }
        #expect(rounds == [[7], [], [7], []])
    }

    @Test func anEdgeThatWasReadBeforeAnyoneLookedIsNotTold() {
        var found: [UInt64] = [1]
        Self.run { _, table, epoll in
            let event = table.event()
            Self.add(epoll, event, Self.readable | Self.edge)
            KernelTests.add(1, to: event.1)
            _ = number(event.1)
            found = Self.wait(epoll)
        }
        #expect(found == [])
    }

    @Test func aOneShotIsToldOnceUntilItIsArmedAgain() {
        var rounds: [[UInt64]] = []
        Self.run { _, table, epoll in
            let event = table.event(1)
            Self.add(epoll, event, Self.readable | Self.oneShot, data: 1)
            rounds = [Self.wait(epoll)]
            KernelTests.add(1, to: event.1)
            rounds.append(Self.wait(epoll))
            _ = Self.change(.modify, epoll, event, Self.readable | Self.oneShot, data: 2)
            rounds += [Self.wait(epoll), Self.wait(epoll)]
        }
        #expect(rounds == [[1], [], [2], []])
    }

    @Test func ofSeveralEpollsThatWatchExclusivelyOneIsWoken() {
        var woken = 0
        var shared = 0
        Self.run { machine, table, _ in
            for mode in [Self.exclusive, 0] {
                let event = table.event()
                var told = 0
                for _ in 0..<3 {
                    let epoll = EpollFile()
                    Self.add(epoll, event, Self.readable | mode)
                    machine.start { told += Self.wait(epoll, until: now() + 1000).count }
                }
                machine.start { KernelTests.add(1, to: event.1) }
                try? Sleep.sleep(for: 500, on: .monotonic, remaining: UserPointer(0))
                if mode == 0 { shared = told } else { woken = told }
                _ = number(event.1)
                try? Sleep.sleep(for: 2000, on: .monotonic, remaining: UserPointer(0))
            }
        }
        #expect(woken == 1)
        #expect(shared == 3)
    }

    @Test func anExclusiveWatchCannotBeChangedNorBeOneShot() {
        var errors: [Errno?] = []
        Self.run { _, table, epoll in
            let event = table.event()
            errors = [
                Self.add(epoll, event, Self.readable | Self.exclusive | Self.oneShot),
                Self.add(epoll, event, Self.readable | Self.exclusive),
                Self.change(.modify, epoll, event),
            ]
        }
        #expect(errors == [.invalidArgument, nil, .invalidArgument])
    }

    @Test func watchesAreAddedOnceAndChangedOnlyWhereTheyAre() {
        var errors: [Errno?] = []
        Self.run { _, table, epoll in
            let event = table.event()
            errors = [
                Self.change(.modify, epoll, event), Self.change(.delete, epoll, event),
                Self.add(epoll, event), Self.add(epoll, event),
                Self.add(epoll, (FileDescriptor(Int32(77)), event.1)),
                Self.change(.delete, epoll, event), Self.change(.delete, epoll, event),
            ]
        }
        let missing = Errno.noSuchFileOrDirectory
        #expect(errors == [missing, missing, nil, .fileExists, nil, nil, missing])
    }

    @Test func aFileIsForgottenWithItsLastDescriptor() {
        var rounds: [[UInt64]] = []
        Self.run { _, table, epoll in
            let event = try! table.makeEvent(1, isSemaphore: false, [])
            Self.add(epoll, (event, try! table.file(event)), data: 5)
            let copy = try! table.insert(try! table.file(event), closesOnExec: false)
            try? table.close(event)
            rounds = [Self.wait(epoll)]
            try? table.close(copy)
            rounds.append(Self.wait(epoll))
        }
        #expect(rounds == [[5], []])
    }

    @Test func anEpollThatIsClosedLetsItsFilesGo() {
        var isWatched = true
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let event = table.event()
            do {
                let epoll = EpollFile()
                Self.add(epoll, event)
            }
            isWatched = event.1.firstWatch != nil
            KernelTests.add(1, to: event.1)
        }
        #expect(!isWatched)
    }

    @Test func anEpollIsReadableForAnotherWhenItHasEvents() {
        var rounds: [[UInt64]] = []
        Self.run { _, table, outer in
            let inner = EpollFile()
            let descriptor = try! table.insert(inner, closesOnExec: false)
            let event = table.event()
            Self.add(inner, event, data: 1)
            Self.add(outer, (descriptor, inner), data: 2)
            rounds = [Self.wait(outer)]
            KernelTests.add(1, to: event.1)
            rounds += [Self.wait(outer), Self.wait(inner)]
            _ = number(event.1)
            rounds.append(Self.wait(outer))
        }
        #expect(rounds == [[], [2], [1], []])
    }

    @Test func epollsMayNotWatchEachOtherInACircleNorTooDeep() {
        var errors: [Errno?] = []
        Self.run { _, table, first in
            let descriptor = FileDescriptor(Int32(50))
            let second = EpollFile()
            errors = [
                Self.add(first, (descriptor, first)), Self.add(first, (descriptor, second)),
                Self.add(second, (descriptor, first)),
            ]
            var chain = [EpollFile()]
            for _ in 0..<5 {
                let next = EpollFile()
                errors.append(Self.add(next, (descriptor, chain.last!)))
                chain.append(next)
            }
        }
        #expect(errors[0] == .invalidArgument)
        #expect(errors[1] == nil)
        #expect(errors[2] == .tooManySymbolicLinks)
        #expect(errors[3..<7].allSatisfy { $0 == nil })
        #expect(errors.last == .some(.tooManySymbolicLinks))
    }

    @Test func readyFilesTakeTurnsWhenThereIsNoRoomForAll() {
        var rounds: [[UInt64]] = []
        Self.run { _, table, epoll in
            for data in UInt64(1)...3 { Self.add(epoll, table.event(1), data: data) }
            rounds = [Self.wait(epoll, 2), Self.wait(epoll, 2), Self.wait(epoll, 2)]
        }
        #expect(rounds == [[1, 2], [3, 1], [2, 3]])
    }

    @Test func aWaitEndsWithAnEventOrAtItsDeadline() {
        var found: [UInt64] = []
        var late: [UInt64] = [1]
        var waited: Nanoseconds = 0
        Self.run { machine, table, epoll in
            let event = table.event()
            Self.add(epoll, event, data: 3)
            machine.start { KernelTests.add(1, to: event.1) }
            found = Self.wait(epoll, until: .never)
            _ = number(event.1)
            let start = now()
            late = Self.wait(epoll, until: start + 900)
            waited = now() - start
        }
        #expect(found == [3])
        #expect(late == [])
        #expect(waited == 900)
    }

    @Test func aPipeIsWritableAgainWhenItWasRead() {
        var rounds: [[UInt64]] = []
        Self.run { _, table, epoll in
            let pipe = table.pipe(.nonBlocking)
            let writer = try! table.file(pipe.writer)
            Self.add(epoll, (pipe.writer, writer), Self.writable | Self.edge, data: 4)
            rounds = [Self.wait(epoll)]
            table.put(pipe.writer, Array(repeating: 1, count: 65_536))
            rounds.append(Self.wait(epoll))
            _ = table.take(pipe.reader, 65_536)
            rounds.append(Self.wait(epoll))
        }
        #expect(rounds == [[4], [], [4]])
    }
}
