import Testing
import Virtio

/// Queues of both formats against a device that does as the specification says.
@Suite struct QueueTests {
    @Test(arguments: QueueKind.all)
    func aChainArrivesAsItWasOffered(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 8)
        let buffers = [
            Buffer(address: 0xabc0_1234_5678, length: 16, isWritten: false),
            Buffer(address: 0x2000, length: 4096, isWritten: true),
            Buffer(address: 0x9000, length: 1, isWritten: true),
        ]
        let token = try #require(fixture.offer(buffers))
        let chain = try #require(fixture.device.fetch())
        #expect(
            chain.buffers
                == buffers.map {
                    ModelChain.Element(
                        address: $0.address,
                        length: $0.length,
                        isWritten: $0.isWritten
                    )
                }
        )
        #expect(fixture.device.fetch() == nil)
        #expect(try fixture.queue.take() == nil)
        _ = fixture.device.use(chain, length: 4097)
        let used = try #require(try fixture.queue.take())
        #expect(used.token == token)
        #expect(used.length == 4097)
        #expect(try fixture.queue.take() == nil)
        #expect(fixture.queue.room == 8)
    }

    @Test(arguments: QueueKind.all)
    func aFullQueueTakesNothingUntilSomethingIsUsed(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 4)
        let pair = [
            Buffer(address: 0x1000, length: 8, isWritten: false),
            Buffer(address: 0x2000, length: 8, isWritten: true),
        ]
        #expect(fixture.offer(pair + pair + pair) == nil)
        #expect(fixture.offer([]) == nil)
        #expect(fixture.offer(pair) != nil)
        #expect(fixture.offerOne() != nil)
        #expect(fixture.offer(pair) == nil)
        #expect(fixture.offerOne() != nil)
        #expect(fixture.offerOne() == nil)
        #expect(fixture.queue.room == 0)
        _ = fixture.device.use(try #require(fixture.device.fetch()), length: 8)
        #expect(try fixture.queue.take() != nil)
        #expect(fixture.offer(pair) != nil)
        #expect(fixture.offerOne() == nil)
    }

    /// Long enough for every index to come round, in an order of the device's own.
    @Test(arguments: QueueKind.all)
    func chainsOfAllLengthsComeBackInAnyOrder(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 16)
        var random = Sequence64(state: 1)
        var atDevice: [ModelChain] = []
        var tokens: [UInt64: UInt16] = [:]
        var (address, finished, mistakes) = (UInt64(0), 0, 0)
        while finished < 66_000 {
            let count = Int.random(in: 1...5, using: &random)
            let buffers = (0..<count).map {
                Buffer(address: address + UInt64($0), length: 64, isWritten: $0 >= count / 2)
            }
            let room = fixture.queue.room
            let token = fixture.offer(buffers)
            if (token != nil) != (count <= room) { mistakes += 1 }
            tokens[address] = token
            address += 16
            while let chain = fixture.device.fetch() { atDevice.append(chain) }
            atDevice.shuffle(using: &random)
            for _ in 0..<Int.random(in: 0...atDevice.count, using: &random) {
                let chain = atDevice.removeLast()
                let writable = chain.buffers.filter(\.isWritten).reduce(0) { $0 + $1.length }
                let length = UInt32.random(in: 0...writable, using: &random)
                _ = fixture.device.use(chain, length: length)
                let used = try fixture.queue.take()
                let expected = tokens.removeValue(forKey: chain.buffers[0].address)
                if used == nil || used?.token != expected || used?.length != length {
                    mistakes += 1
                }
                finished += 1
            }
            if try fixture.queue.take() != nil { mistakes += 1 }
        }
        #expect(mistakes == 0)
        #expect(fixture.queue.room + atDevice.reduce(0) { $0 + $1.buffers.count } == 16)
    }

    @Test(arguments: QueueKind.all)
    func theDeviceIsToldUnlessItWantsNot(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 8)
        #expect(!fixture.queue.needsNotification())
        fixture.device.wantNotification(after: 0)
        #expect(fixture.offerOne() != nil)
        #expect(fixture.queue.needsNotification())
        #expect(!fixture.queue.needsNotification())
        fixture.device.wantNoNotification()
        #expect(fixture.offerOne() != nil)
        #expect(!fixture.queue.needsNotification())
    }

    /// From every place of the ring, and for every number of chains offered at once.
    @Test(arguments: QueueKind.withEventIndex)
    func theDeviceIsToldWhenItsEventIsReached(_ kind: QueueKind) throws {
        for start in 0..<40 {
            let fixture = QueueFixture(kind, size: 8)
            try fixture.exchange(start)
            for (event, offered) in (0..<8).flatMap({ event in (1...8).map { (event, $0) } }) {
                _ = fixture.queue.needsNotification()
                fixture.device.wantNotification(after: event)
                for _ in 0..<offered { #expect(fixture.offerOne() != nil) }
                #expect(fixture.queue.needsNotification() == (event < offered))
                while let chain = fixture.device.fetch() {
                    _ = fixture.device.use(chain, length: 0)
                }
                while try fixture.queue.take() != nil {}
            }
        }
    }

    /// The split ring's indices come round at 65536, whatever its size.
    @Test func eventsAreReachedWhereTheIndexComesRound() throws {
        let fixture = QueueFixture(QueueKind(isPacked: false, hasEventIndex: true), size: 8)
        try fixture.exchange(65533)
        for event in 0..<6 {
            _ = fixture.queue.needsNotification()
            fixture.device.wantNotification(after: event)
            for offered in 0..<6 {
                #expect(fixture.offerOne() != nil)
                #expect(fixture.queue.needsNotification() == (offered == event))
            }
            while let chain = fixture.device.fetch() { _ = fixture.device.use(chain, length: 0) }
            while try fixture.queue.take() != nil {}
        }
    }

    @Test(arguments: QueueKind.all)
    func interruptsComeWhenTheyAreAskedFor(_ kind: QueueKind) throws {
        for start in 0..<40 {
            let fixture = QueueFixture(kind, size: 8)
            try fixture.exchange(start)
            func useOne() throws -> Bool {
                #expect(fixture.offerOne() != nil)
                return fixture.device.use(try #require(fixture.device.fetch()), length: 0)
            }
            #expect(!fixture.queue.enableInterrupt())
            #expect(try useOne())
            // What is there already is told at once, and may bring no interrupt.
            #expect(fixture.queue.enableInterrupt())
            #expect(try fixture.queue.take() != nil)
            fixture.queue.disableInterrupt()
            #expect(try !useOne())
            #expect(try fixture.queue.take() != nil)
            #expect(!fixture.queue.enableInterrupt())
            #expect(try useOne())
            #expect(try fixture.queue.take() != nil)
        }
    }
}
