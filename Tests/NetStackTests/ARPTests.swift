import NetStack
import Testing

/// Address resolution: RFC 826, RFC 1122 section 2.3.2, RFC 5227.
@Suite struct ARPTests {
    private static let nobody = [UInt8](repeating: 0, count: 6)

    /// The stack's own question for the peer's address.
    private func question(to destination: [UInt8] = Host.broadcast) -> [UInt8] {
        Frame.ethernet(
            to: destination,
            from: Host.hardware,
            [8, 6],
            Frame.arp(1, (Host.hardware, Host.address), (Self.nobody, Host.peerAddress))
        )
    }

    private func announcement() -> [UInt8] {
        Frame.ethernet(
            to: Host.broadcast,
            from: Host.hardware,
            [8, 6],
            Frame.arp(1, (Host.hardware, Host.address), (Self.nobody, Host.address))
        )
    }

    // MARK: Answering

    /// Frames are filled up to 60 bytes on a real wire.
    @Test(arguments: [0, 18])
    func aQuestionForTheAddressIsAnswered(padding: Int) {
        var host = Host()
        let sent = host.take(Frame.question() + [UInt8](repeating: 0, count: padding))
        let reply = Frame.arp(2, (Host.hardware, Host.address), (Host.peer, Host.peerAddress))
        #expect(sent == [Frame.ethernet(to: Host.peer, from: Host.hardware, [8, 6], reply)])
    }

    @Test func aQuestionForAnotherIsNot() {
        var host = Host()
        #expect(host.take(Frame.question(for: [10, 0, 0, 3])) == [])
        #expect(host.stack.counters.notForUs == 1)
    }

    /// RFC 5227, section 1.1: a probe comes from a host that has no address yet.
    @Test func aProbeIsAnsweredAndNothingLearned() {
        var host = Host()
        #expect(host.take(Frame.question(from: (Host.peer, [0, 0, 0, 0]))).count == 1)
        #expect(host.take(Frame.ping()) == [question()])
    }

    @Test func whatIsNoQuestionOfEthernetIsDropped() {
        var host = Host()
        for (offset, byte) in [(15, 6), (16, 0x86), (18, 8), (19, 16), (21, 3), (21, 0)] {
            var frame = Frame.question()
            frame[offset] = UInt8(byte)
            #expect(host.take(frame) == [])
        }
        // A group of cards is no sender.
        #expect(host.take(Frame.question(from: ([1, 0, 0, 0, 0, 9], Host.peerAddress))) == [])
        var liar = Frame.question()
        liar[22] = 0xff
        #expect(host.take(liar) == [])
        for length in 0..<42 { #expect(host.take(Array(Frame.question().prefix(length))) == []) }
        #expect(host.stack.counters.malformed == 8 + 42)
    }

    // MARK: Resolving

    @Test func aPacketWaitsUntilItsHostHasTold() {
        var host = Host()
        #expect(host.take(Frame.ping()) == [question()])
        let sent = host.take(Frame.answer)
        #expect(sent.count == 1)
        #expect(sent.first.map { Array($0[..<14]) } == Host.peer + Host.hardware + [8, 0])
        #expect(host.stack.nextDeadline == .max)
        // From now on it is known.
        #expect(host.take(Frame.ping()).map { Array($0[..<6]) } == [Host.peer])
    }

    @Test func aHostThatDoesNotAnswerIsAskedThreeTimes() {
        var host = Host()
        #expect(host.take(Frame.ping()) == [question()])
        #expect(host.take(Frame.ping()) == [])
        for _ in 0..<2 {
            #expect(host.stack.nextDeadline == host.time + Host.second)
            #expect(host.wait(Host.second - 1) == [])
            #expect(host.wait(1) == [question()])
        }
        #expect(host.wait(Host.second) == [])
        #expect(host.stack.nextDeadline == .max)
        // The first was replaced by the second, which waited in vain.
        #expect(host.stack.counters.unreachable == 2)
        #expect(host.take(Frame.answer) == [])
    }

    /// A minute later the host is asked itself whether it is still there, and used meanwhile.
    @Test func whatWasToldIsAskedAgain() {
        var host = Host()
        host.meetPeer()
        #expect(host.wait(60 * Host.second) == [])
        let sent = host.take(Frame.ping())
        #expect(sent.count == 2)
        #expect(sent.last == question(to: Host.peer))
        #expect(host.take(Frame.answer) == [])
        #expect(host.take(Frame.ping()).count == 1)
        #expect(host.stack.nextDeadline == .max)

        _ = host.wait(60 * Host.second)
        host.take(Frame.ping())
        #expect(host.wait(Host.second) == [question(to: Host.peer)])
        #expect(host.wait(Host.second) == [question()])
        #expect(host.wait(Host.second) == [])
        #expect(host.take(Frame.ping()) == [question()])
    }

    @Test func anAnswerThatNobodyAskedForTeachesNothing() {
        var host = Host()
        #expect(host.take(Frame.answer) == [])
        #expect(host.take(Frame.ping()) == [question()])
    }

    /// Memory stays bounded, whoever asks or is asked for.
    @Test func manyHostsAreNotRemembered() {
        var host = Host(prefixLength: 8)
        for number in 0..<10_000 {
            let address: [UInt8] = [10, 1, UInt8(number >> 8), UInt8(number & 255)]
            let hardware: [UInt8] = [2, 1, 0, 0, UInt8(number >> 8), UInt8(number & 255)]
            #expect(host.take(Frame.question(from: (hardware, address))).count == 1)
            let ping = Frame.packet(from: [10, 2] + address[2...], Frame.echo(Frame.data(1400)))
            #expect(host.take(Frame.ethernet([8, 0], ping)).count == 1)
        }
        let kept = host.stack.counters
        #expect(kept.unreachable > 9_000)
        host.meetPeer()
        #expect(host.take(Frame.ping()).map { Array($0[..<6]) } == [Host.peer])
    }

    // MARK: Announcing

    @Test func theAddressIsAnnouncedTwice() {
        var host = Host()
        #expect(host.stack.nextDeadline == .max)
        #expect(host.start() == [announcement()])
        #expect(host.wait(Host.second) == [])
        #expect(host.wait(Host.second) == [announcement()])
        #expect(host.stack.nextDeadline == .max)
    }

    @Test func theAddressIsDefendedOnceInTenSeconds() {
        var host = Host()
        let claim = Frame.question(from: (Host.peer, Host.address))
        #expect(host.take(claim) == [announcement()])
        #expect(host.take(claim) == [])
        #expect(host.wait(10 * Host.second) == [])
        #expect(host.take(claim) == [announcement()])
        #expect(host.stack.counters.addressConflicts == 3)
        // Its own announcement that came back is nobody's claim.
        #expect(host.take(announcement()) == [])
        #expect(host.stack.counters.addressConflicts == 3)
    }
}
