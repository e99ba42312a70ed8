import FakePlatform
import LinuxABI
import NetStack
import Platform
import Testing

@testable import Kernel

/// Frames between the machine's card and its protocols, and when the kernel takes them.
@Suite struct NetworkTests {
    private static let card: [UInt8] = [2, 0x55, 10, 0, 0, 2]
    private static let peer: [UInt8] = [2, 0, 0, 0, 0, 9]
    private static let everybody = [UInt8](repeating: 0xff, count: 6)

    private func arp(
        _ operation: UInt8,
        _ from: [UInt8],
        _ fromIP: [UInt8],
        _ to: [UInt8],
        _ toIP: [UInt8]
    )
        -> [UInt8]
    {
        [8, 6, 0, 1, 8, 0, 6, 4, 0, operation] + from + fromIP + to + toIP
    }

    /// The peer asks for the machine's address.
    private var question: [UInt8] {
        let nobody = [UInt8](repeating: 0, count: 6)
        return Self.everybody + Self.peer
            + arp(1, Self.peer, [10, 0, 0, 1], nobody, [10, 0, 0, 2])
    }

    private var answer: [UInt8] {
        Self.peer + Self.card + arp(2, Self.card, [10, 0, 0, 2], Self.peer, [10, 0, 0, 1])
    }

    private var announcement: [UInt8] {
        let nobody = [UInt8](repeating: 0, count: 6)
        return Self.everybody + Self.card
            + arp(1, Self.card, [10, 0, 0, 2], nobody, [10, 0, 0, 2])
    }

    private var sent: [[UInt8]] { FakePlatform.card?.sent ?? [] }

    /// Runs `body` as a thread of a machine with a card, and then without a network again.
    private func withNetwork(_ body: @escaping (TaskMachine) -> Void) {
        let ending = TaskMachine.run { machine in
            FakePlatform.card = FakeCard()
            Network.prepare((0x0a00_0002, 24))
            body(machine)
            Network.prepare(nil)
        }
        #expect(ending != nil)
    }

    @Test func nothingIsAnsweredBeforeTheStart() {
        withNetwork { _ in
            FakePlatform.card!.deliver(question)
            Network.takeFrames()
            #expect(sent == [])
            Network.start()
            #expect(sent == [announcement, answer])
        }
    }

    /// The wait ends for the frame, and not for its deadline.
    @Test func aFrameWakesTheIdleLoop() {
        withNetwork { _ in
            Network.start()
            let begin = FakePlatform.time
            var waits = 0
            FakePlatform.whileWaiting = {
                waits += 1
                if waits == 1 { FakePlatform.card!.deliver(question) }
                if waits == 2 { #expect(sent.count == 2 && FakePlatform.time == begin) }
            }
            #expect(throws: Errno.timedOut) {
                try Scheduler.block(until: begin + Nanoseconds.second, isInterruptible: false)
            }
            #expect(sent == [announcement, answer])
            #expect(waits >= 2)
        }
    }

    @Test func theAnnouncementIsRepeatedByATimer() {
        withNetwork { _ in
            Network.start()
            for (second, count) in [(1, 1), (3, 2), (5, 2)] {
                try? Scheduler.block(
                    until: FakePlatform.time + UInt64(second) * Nanoseconds.second,
                    isInterruptible: false
                )
                #expect(sent.count == count)
            }
        }
    }

    /// A program that computes is not kept from it: what is left waits for a timer.
    @Test func aFloodIsTakenInParts() {
        withNetwork { _ in
            Network.start()
            for _ in 0..<200 { FakePlatform.card!.deliver(question) }
            var rounds = 0
            while !FakePlatform.card!.incoming.isEmpty, rounds < 10 {
                let left = FakePlatform.card!.incoming.count
                if rounds == 0 { Network.takeFrames() } else { Scheduler.timerInterrupt() }
                #expect(left - FakePlatform.card!.incoming.count <= 64)
                if !FakePlatform.card!.incoming.isEmpty {
                    let pause = TimerQueue.shared.nextDeadline - FakePlatform.time
                    #expect(pause <= Nanoseconds.millisecond)
                }
                FakePlatform.time += Nanoseconds.millisecond
                rounds += 1
            }
            #expect(rounds == 4)
            #expect(sent.count == 201)
        }
    }

    /// The idle loop has nothing better to do.
    @Test func theIdleLoopTakesAFloodAtOnce() {
        withNetwork { _ in
            Network.start()
            let begin = FakePlatform.time
            for _ in 0..<200 { FakePlatform.card!.deliver(question) }
            FakePlatform.whileWaiting = { #expect(sent.count == 201) }
            try? Scheduler.block(until: begin + Nanoseconds.millisecond / 2, isInterruptible: false)
            #expect(sent.count == 201)
        }
    }

    @Test func aCardWithoutRoomLosesFramesOnly() {
        withNetwork { _ in
            Network.start()
            FakePlatform.card!.room = 1
            FakePlatform.card!.deliver(question)
            Network.takeFrames()
            #expect(sent == [announcement])
            #expect(Network.counters?.framesUnsent == 1)
        }
    }

    @Test func aBrokenCardIsReportedOnceAndLeftAlone() {
        withNetwork { _ in
            Network.start()
            FakePlatform.card!.error = -5
            for _ in 0..<3 { Network.takeFrames() }
            let message = String(decoding: FakePlatform.output[2] ?? [], as: UTF8.self)
            #expect(message.hasPrefix("unirun: the network card"))
            #expect(message.split(separator: "\n").count == 1)
            FakePlatform.card!.error = 0
            FakePlatform.card!.deliver(question)
            Network.takeFrames()
            #expect(sent == [announcement])
        }
    }
}
