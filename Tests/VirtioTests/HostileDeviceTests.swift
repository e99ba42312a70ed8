import Testing
import Virtio

/// Devices that do what none may: the queue ends, and nothing of theirs is believed.
@Suite struct HostileDeviceTests {
    private func expectEnd(_ fixture: QueueFixture, of fault: QueueFault) {
        #expect(throws: fault) { try fixture.queue.take() }
        // For good.
        #expect(throws: fault) { try fixture.queue.take() }
        #expect(fixture.queue.fault == fault)
        #expect(fixture.offerOne() == nil)
    }

    @Test(arguments: QueueKind.all, [8, 9, 0x7fff, 0xffff] as [UInt16])
    func anIdentifierOutOfRangeEndsTheQueue(_ kind: QueueKind, _ id: UInt16) throws {
        let fixture = QueueFixture(kind, size: 8)
        #expect(fixture.offerOne() != nil)
        _ = fixture.device.use(ModelChain(id: id, buffers: [.any]), length: 0)
        expectEnd(fixture, of: .unknownChain)
    }

    /// 32 bits in the used ring, 16 of which would name a chain.
    @Test func anIdentifierIsNotCutShort() throws {
        let fixture = QueueFixture(QueueKind(isPacked: false, hasEventIndex: false), size: 8)
        let token = try #require(fixture.offerOne())
        let device = try #require(fixture.device as? SplitModel)
        device.putUsed(0x1_0000 | UInt32(token), 0)
        device.setUsedIndex(1)
        expectEnd(fixture, of: .unknownChain)
    }

    @Test(arguments: QueueKind.all)
    func aChainThatWasNotOfferedEndsTheQueue(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 8)
        let token = try #require(fixture.offerOne())
        _ = fixture.device.use(ModelChain(id: token + 1, buffers: [.any]), length: 0)
        expectEnd(fixture, of: .unknownChain)
    }

    @Test(arguments: QueueKind.all)
    func aChainUsedTwiceEndsTheQueue(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 8)
        #expect(fixture.offerOne() != nil)
        #expect(fixture.offerOne() != nil)
        let chain = try #require(fixture.device.fetch())
        _ = fixture.device.use(chain, length: 0)
        _ = fixture.device.use(chain, length: 0)
        #expect(try fixture.queue.take() != nil)
        expectEnd(fixture, of: .unknownChain)
    }

    /// A descriptor within a chain is no chain.
    @Test func theMiddleOfAChainEndsTheQueue() throws {
        let fixture = QueueFixture(QueueKind(isPacked: false, hasEventIndex: false), size: 8)
        let buffer = Buffer(address: 0x1000, length: 4, isWritten: true)
        let token = try #require(fixture.offer([buffer, buffer, buffer]))
        _ = fixture.device.use(ModelChain(id: token + 1, buffers: [.any]), length: 0)
        expectEnd(fixture, of: .unknownChain)
    }

    @Test(arguments: QueueKind.all, [513, 0x8000_0000, .max] as [UInt32])
    func aLengthBeyondTheBuffersEndsTheQueue(_ kind: QueueKind, _ length: UInt32) throws {
        let fixture = QueueFixture(kind, size: 8)
        let buffers = [
            Buffer(address: 0x1000, length: 4096, isWritten: false),
            Buffer(address: 0x2000, length: 512, isWritten: true),
        ]
        #expect(fixture.offer(buffers) != nil)
        _ = fixture.device.use(try #require(fixture.device.fetch()), length: length)
        expectEnd(fixture, of: .lengthTooLong)
    }

    @Test(arguments: QueueKind.all)
    func nothingIsWrittenToWhatIsOnlyRead(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 8)
        #expect(fixture.offer([Buffer(address: 0x1000, length: 64, isWritten: false)]) != nil)
        _ = fixture.device.use(try #require(fixture.device.fetch()), length: 64)
        #expect(try fixture.queue.take()?.length == 0)
    }

    @Test(arguments: [2, 9, 0x8000, 0xffff] as [UInt16])
    func aUsedIndexThatJumpsEndsTheQueue(_ index: UInt16) throws {
        let fixture = QueueFixture(QueueKind(isPacked: false, hasEventIndex: true), size: 8)
        #expect(fixture.offerOne() != nil)
        let device = try #require(fixture.device as? SplitModel)
        device.setUsedIndex(index)
        expectEnd(fixture, of: .indexJumped)
    }

    @Test(arguments: QueueKind.all)
    func usingWhatWasNeverOfferedEndsTheQueue(_ kind: QueueKind) throws {
        let fixture = QueueFixture(kind, size: 8)
        _ = fixture.device.use(ModelChain(id: 0, buffers: [.any]), length: 0)
        expectEnd(fixture, of: .indexJumped)
    }

    /// Whatever the device writes anywhere in the shared memory: a chain is taken once at most, and
    /// no more is said of it than can be.
    @Test(arguments: QueueKind.all, 0..<40 as Range<UInt64>)
    func noiseIsNeverBelieved(_ kind: QueueKind, _ seed: UInt64) {
        let fixture = QueueFixture(kind, size: 8)
        var random = Sequence64(state: seed)
        var offered: Set<UInt16> = []
        for _ in 0..<2000 {
            let offset = Int.random(in: 0..<fixture.memory.bytes.count, using: &random)
            let isSmall = Bool.random(using: &random)
            let noise = UInt8.random(in: 0...(isSmall ? 8 : 255), using: &random)
            fixture.memory.bytes[offset] = noise
            if let token = fixture.offerOne() {
                #expect(offered.insert(token).inserted)
            }
            _ = fixture.queue.needsNotification()
            _ = fixture.queue.enableInterrupt()
            do throws(QueueFault) {
                while let used = try fixture.queue.take() {
                    #expect(offered.remove(used.token) != nil)
                    #expect(used.length <= 512)
                }
            } catch {
                #expect(fixture.offerOne() == nil)
                return
            }
            #expect(fixture.queue.room + offered.count == 8)
        }
    }
}

extension ModelChain.Element {
    static var any: Self { Self(address: 0x1000, length: 512, isWritten: true) }
}
