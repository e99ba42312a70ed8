import NetStack
import Testing

/// Packets and echoes: RFC 791, RFC 792, RFC 1122 sections 3.2 and 3.3.6.
@Suite struct PacketTests {
    /// A host that knows its peer.
    private func host(packetLimit: Int = 1500) -> Host {
        var host = Host(packetLimit: packetLimit)
        host.meetPeer()
        return host
    }

    /// That nothing is answered, and what is counted instead.
    private func expectDrop(
        _ packet: [UInt8],
        _ counter: KeyPath<NetworkCounters, UInt64>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var host = host()
        let before = host.stack.counters[keyPath: counter]
        #expect(
            host.take(Frame.ethernet([8, 0], packet)) == [],
            sourceLocation: sourceLocation
        )
        #expect(
            host.stack.counters[keyPath: counter] == before + 1,
            sourceLocation: sourceLocation
        )
    }

    // MARK: Echo

    @Test(arguments: [0, 1, 2, 3, 55, 56, 1471, 1472])
    func anEchoRequestIsAnswered(size: Int) {
        var host = host()
        let sent = host.take(Frame.ping(size))
        let data = Frame.data(size)
        let packet = Frame.packet(
            to: Host.peerAddress,
            from: Host.address,
            Frame.echo(data, type: 0)
        ) {
            // Never taken apart, and so without a number.
            $0.replaceSubrange(4..<8, with: [0, 0, 0x40, 0])
        }
        #expect(sent == [Frame.ethernet(to: Host.peer, from: Host.hardware, [8, 0], packet)])
        #expect(host.stack.counters.echoRequests == 1)
    }

    @Test func optionsOfAPacketArePassedOver() {
        var host = host()
        let packet = Frame.packet(Frame.echo(Frame.data(9)), options: [1, 1, 1, 0])
        let sent = host.take(Frame.ethernet([8, 0], packet))
        #expect(sent.map { Array($0.dropFirst(34)) } == [Frame.echo(Frame.data(9), type: 0)])
    }

    /// What fills a frame up is no part of the packet.
    @Test func paddingIsNotAnswered() {
        var host = host()
        let sent = host.take(Frame.ping(1) + [UInt8](repeating: 9, count: 17))
        #expect(sent.map { Array($0.dropFirst(34)) } == [Frame.echo(Frame.data(1), type: 0)])
    }

    @Test func onlyAnEchoRequestIsAnswered() {
        for type in [0, 3, 5, 13, 17] as [UInt8] {
            expectDrop(Frame.packet(Frame.echo(Frame.data(20), type: type)), \.unknownProtocol)
        }
        expectDrop(Frame.packet(Frame.data(20), protocolNumber: 17), \.unknownProtocol)
        expectDrop(Frame.packet([8, 0, 0xf7, 0xff, 0, 0, 0]), \.malformed)
    }

    @Test func aDamagedEchoRequestIsDropped() {
        for offset in 0..<28 {
            var message = Frame.echo(Frame.data(20))
            message[offset] ^= 0x10
            expectDrop(Frame.packet(message), \.badChecksums)
        }
    }

    // MARK: Heads of packets

    @Test func aDamagedHeadIsDropped() {
        for offset in 1..<20 where ![2, 3].contains(offset) {
            var packet = Frame.packet(Frame.echo(Frame.data(20)))
            packet[offset] ^= 0x10
            expectDrop(packet, \.badChecksums)
        }
    }

    @Test func impossibleLengthsAreDropped() {
        let message = Frame.echo(Frame.data(20))
        for first in [0x35, 0x65, 0x44, 0x40] as [UInt8] {
            expectDrop(Frame.packet(message) { $0[0] = first }, \.malformed)
        }
        // Options without room for them, shorter than its head, longer than the frame.
        expectDrop(Array(Frame.packet(message) { $0[0] = 0x4f }.prefix(40)), \.malformed)
        expectDrop(Frame.packet(message) { $0[3] = 19 }, \.malformed)
        expectDrop(Frame.packet(message) { $0[3] += 1 }, \.malformed)
        expectDrop(Frame.packet(message) { $0[2] = 0xff }, \.malformed)
        for length in 0..<20 {
            expectDrop(Array(Frame.packet(message).prefix(length)), \.malformed)
        }
    }

    @Test func fragmentsAreDroppedAndCounted() {
        let message = Frame.echo(Frame.data(24))
        for (high, low) in [(0x20, 0), (0x20, 1), (0, 1), (0x1f, 0xff)] as [(UInt8, UInt8)] {
            expectDrop(Frame.packet(message) { ($0[6], $0[7]) = (high, low) }, \.fragments)
        }
        // That it must not become one is no fragment.
        var host = host()
        let whole = Frame.packet(message) { $0[6] = 0x40 }
        #expect(host.take(Frame.ethernet([8, 0], whole)).count == 1)
    }

    // MARK: Addresses

    @Test func aPacketForAnotherIsDropped() {
        let message = Frame.echo(Frame.data(20))
        for address in [[10, 0, 0, 3], [224, 0, 0, 1], [127, 0, 0, 1], [10, 0, 0, 255]]
            as [[UInt8]]
        {
            expectDrop(Frame.packet(to: address, message), \.notForUs)
        }
        var host = host()
        let before = host.stack.counters.notForUs
        let packet = Frame.packet(message)
        for card in [[2, 0, 0, 0, 0, 8], [1, 0, 0x5e, 0, 0, 1], Host.broadcast] {
            #expect(host.take(Frame.ethernet(to: card, [8, 0], packet)) == [])
        }
        // To all, and yet an echo request: nobody answers.
        for address in [[10, 0, 0, 255], [255, 255, 255, 255]] as [[UInt8]] {
            let packet = Frame.packet(to: address, message)
            #expect(host.take(Frame.ethernet(to: Host.broadcast, [8, 0], packet)) == [])
        }
        #expect(host.stack.counters.notForUs == before + 5)
    }

    @Test func aSenderThatNobodyCanBeIsDropped() {
        let message = Frame.echo(Frame.data(20))
        let senders: [[UInt8]] = [
            [0, 0, 0, 0], [127, 0, 0, 1], [224, 0, 0, 1], [240, 0, 0, 1], [255, 255, 255, 255],
            [10, 0, 0, 255], Host.address,
        ]
        for sender in senders { expectDrop(Frame.packet(from: sender, message), \.malformed) }
    }

    /// There is no router.
    @Test func anotherNetworkIsNotReached() {
        expectDrop(Frame.packet(from: [10, 0, 1, 1], Frame.echo(Frame.data(20))), \.unreachable)
    }

    // MARK: Frames

    @Test func framesOfOtherProtocolsAreDropped() {
        var host = host()
        for type in [[0x86, 0xdd], [0x81, 0], [0, 0x26]] as [[UInt8]] {
            #expect(host.take(Frame.ethernet(type, Frame.data(60))) == [])
        }
        #expect(host.stack.counters.unknownProtocol == 3)
    }

    @Test func aFrameLongerThanTheCardTakesIsDropped() {
        var host = host(packetLimit: 576)
        #expect(host.take(Frame.ping(548)).count == 1)
        #expect(host.take(Frame.ping(549)) == [])
        #expect(host.stack.counters.malformed == 1)
    }

    @Test func aFrameWithoutRoomIsCounted() {
        var host = host()
        host.wire.room = 0
        #expect(host.take(Frame.ping()) == [])
        #expect(host.stack.counters.framesUnsent == 1)
        host.wire.room = 1
        #expect(host.take(Frame.ping()).count == 1)
    }

    // MARK: Interfaces

    @Test func addressesThatNoHostHasAreRefused() {
        let wrong: [(IPv4Address, Int)] = [
            (IPv4Address(10, 0, 0, 0), 24), (IPv4Address(10, 0, 0, 255), 24),
            (IPv4Address(10, 0, 0, 1), 0), (IPv4Address(10, 0, 0, 1), 32),
            (IPv4Address(127, 0, 0, 1), 8), (IPv4Address(224, 0, 0, 1), 24),
            (IPv4Address(0, 0, 0, 1), 24), (IPv4Address(255, 255, 255, 254), 24),
        ]
        for (address, length) in wrong {
            #expect(IPv4Interface(address: address, prefixLength: length) == nil)
        }
        for (host, length) in [(0, 31), (1, 31), (1, 30), (2, 30)] as [(UInt8, Int)] {
            let address = IPv4Address(10, 0, 0, host)
            #expect(IPv4Interface(address: address, prefixLength: length) != nil)
        }
    }
}
