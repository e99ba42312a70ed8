import LinuxABI
import Testing

@testable import Kernel

@Suite struct PollTests {
    /// What poll(2) answers, and the events of each entry.
    private struct Answer: Equatable {
        var count: Int
        var events: [PollEvents]
    }

    private static func poll(
        _ asked: [(Int32, PollEvents)],
        _ table: DescriptorTable,
        until deadline: Nanoseconds = 0
    ) -> Answer? {
        var entries = asked.map {
            Poll.Entry(descriptor: $0.0, events: Int16(truncatingIfNeeded: $0.1.rawValue))
        }
        let count = entries.withUnsafeMutableBufferPointer {
            try? Poll.wait($0, in: table, until: deadline)
        }
        guard let count else { return nil }
        return Answer(
            count: count,
            events: entries.map { PollEvents(rawValue: UInt32(UInt16(bitPattern: $0.returned))) }
        )
    }

    private static func pollNumber(_ descriptor: FileDescriptor) -> Int32 {
        Int32(bitPattern: descriptor.rawValue)
    }

    @Test func whatIsReadyIsToldAtOnceAndOnlyWhatWasAskedFor() {
        var answer: Answer?
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let (full, _) = table.event(1)
            let (empty, _) = table.event()
            answer = Self.poll(
                [
                    (Self.pollNumber(full), .readable), (Self.pollNumber(empty), .readable),
                    (Self.pollNumber(empty), [.readable, .writable]),
                ],
                table
            )
        }
        #expect(answer == Answer(count: 2, events: [.readable, [], .writable]))
    }

    @Test func aNegativeDescriptorIsPassedOverAndAClosedOneIsInvalid() {
        var answer: Answer?
        _ = TaskMachine.run { machine in
            answer = Self.poll([(-1, .readable), (9, .readable)], machine.makeTable())
        }
        #expect(answer == Answer(count: 1, events: [[], .invalid]))
    }

    @Test func aPipeWhoseOtherEndIsGoneTellsWithoutBeingAsked() {
        var reading: Answer?
        var writing: Answer?
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let first = table.pipe()
            table.put(first.writer, [1])
            try? table.close(first.writer)
            reading = Self.poll([(Self.pollNumber(first.reader), .readable)], table)
            let second = table.pipe()
            try? table.close(second.reader)
            writing = Self.poll([(Self.pollNumber(second.writer), [])], table)
        }
        #expect(reading == Answer(count: 1, events: [[.readable, .hangUp]]))
        #expect(writing == Answer(count: 1, events: [.error]))
    }

    @Test func aTimeoutTakesItsTimeAndAnswersZero() {
        var answer: Answer?
        var waited: Nanoseconds = 0
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let (empty, _) = table.event()
            let start = now()
            answer = Self.poll(
                [(Self.pollNumber(empty), .readable)],
                table,
                until: start + 7000
            )
            waited = now() - start
        }
        #expect(answer == Answer(count: 0, events: [[]]))
        #expect(waited == 7000)
    }

    @Test func anEventOfAnotherThreadEndsTheWait() {
        var answer: Answer?
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let pipe = table.pipe()
            let (empty, _) = table.event()
            machine.start { table.put(pipe.writer, [1]) }
            answer = Self.poll(
                [(Self.pollNumber(empty), .readable), (Self.pollNumber(pipe.reader), .readable)],
                table,
                until: .never
            )
        }
        #expect(answer == Answer(count: 1, events: [[], .readable]))
    }

    @Test func anEventThatWasNotAskedForDoesNotEndTheWait() {
        var answer: Answer?
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let (descriptor, file) = table.event(1)
            machine.start { _ = number(file) }
            answer = Self.poll(
                [(Self.pollNumber(descriptor), .priority)],
                table,
                until: now() + 100
            )
        }
        #expect(answer == Answer(count: 0, events: [[]]))
    }

    @Test func aFileThatIsClosedMeanwhileIsHeldUntilTheWaitEnds() {
        var answer: Answer?
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let (descriptor, file) = table.event()
            machine.start {
                try? table.close(descriptor)
                add(1, to: file)
            }
            answer = Self.poll([(Self.pollNumber(descriptor), .readable)], table, until: .never)
        }
        // The second look finds the number free.
        #expect(answer == Answer(count: 1, events: [.invalid]))
    }

    @Test func selectAnswersTheBitsThatAreReady() {
        var found: Int?
        var sets: [UInt32] = []
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            _ = table.event(1)
            let pipe = table.pipe()
            table.put(pipe.writer, [1])
            machine.setWord(0, 0b111)
            machine.setWord(2, 0b111)
            machine.setWord(4, 0b111)
            found = try? Poll.select(
                3,
                reading: machine.address(0),
                writing: machine.address(2),
                exceptional: machine.address(4),
                in: table,
                until: 0
            )
            sets = [machine.word(0), machine.word(2), machine.word(4)]
        }
        #expect(found == 4)
        #expect(sets == [0b011, 0b101, 0])
    }

    @Test func selectRefusesDescriptorsThatAreNotOpen() {
        var failure: Errno?
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            machine.setWord(0, 0b10)
            let result = machine.attempt { () throws(Errno) in
                try Poll.select(
                    2,
                    reading: machine.address(0),
                    writing: 0,
                    exceptional: 0,
                    in: table,
                    until: 0
                )
            }
            if case .failure(let error) = result { failure = error }
        }
        #expect(failure == .badDescriptor)
    }
}
