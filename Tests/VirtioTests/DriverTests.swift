import Testing
import Virtio

/// Drivers against models of their devices, honest and not.
@Suite struct DriverTests {
    // MARK: Agreement

    private func expect(_ fault: DeviceFault, _ prepare: (FakeTransport) -> Void) {
        let transport = FakeTransport()
        prepare(transport)
        #expect(throws: fault) {
            try EntropyDevice(transport, size: 32) { transport.allocate($0) }
        }
    }

    @Test func whatCannotBeAgreedOnIsNotUsed() {
        expect(.noAgreement) { $0.offeredFeatures = [] }
        expect(.noAgreement) { $0.agrees = false }
        expect(.noReset) { $0.resets = false }
        expect(.noQueue) { $0.queueSize = 0 }
    }

    @Test(arguments: [false, true])
    func aDeviceStartsOnceItHasItsQueues(_ isPacked: Bool) throws {
        let transport = FakeTransport(isPacked: isPacked)
        transport.queueSize = 3
        _ = try EntropyDevice(transport, size: 32) { transport.allocate($0) }
        #expect(transport.status == [.acknowledged, .hasDriver, .featuresOK, .driverOK])
        #expect(transport.accepted.contains(.packedRing) == isPacked)
        // A power of two.
        #expect(transport.queues[0]?.size == 2)
    }

    // MARK: Entropy

    @Test(arguments: [false, true])
    func randomBytesAreThoseOfTheDevice(_ isPacked: Bool) throws {
        let transport = FakeTransport(isPacked: isPacked)
        var driver = try EntropyDevice(transport, size: 32) { transport.allocate($0) }
        let device = try transport.model(0)
        let early = try driver.take()
        #expect(early == nil)
        driver.ask()
        driver.ask()
        let chain = try #require(device.fetch())
        #expect(device.fetch() == nil)
        transport.memory.write([9, 8, 7], to: chain.buffers[0])
        _ = device.use(chain, length: 3)
        let taken = try driver.take().map { Array($0) }
        #expect(taken == [9, 8, 7])
        let late = try driver.take()
        #expect(late == nil)
    }

    // MARK: Console

    @Test(arguments: [false, true])
    func aConsolesBytesComeInOrder(_ isPacked: Bool) throws {
        let transport = FakeTransport(isPacked: isPacked)
        var driver = try ConsoleDevice(transport, sendLimit: 64) { transport.allocate($0) }
        let device = try transport.model(0)
        var received: [UInt8] = []
        var sent: [UInt8] = []
        // More pieces than there are, of every length.
        for round in 0..<100 {
            let bytes = (0..<round * 7 % 300).map { UInt8(truncatingIfNeeded: $0 &+ round) }
            let chain = try #require(device.fetch())
            transport.memory.write(bytes, to: chain.buffers[0])
            _ = device.use(chain, length: UInt32(bytes.count))
            sent += bytes
            var target = [UInt8](repeating: 0, count: 100)
            while true {
                let count = try target.withUnsafeMutableBytes { try driver.receive(into: $0) }
                guard count > 0 else { break }
                received += target[..<count]
            }
        }
        #expect(received == sent)
    }

    @Test(arguments: [false, true])
    func aConsoleSendsOnceTheLastIsTaken(_ isPacked: Bool) throws {
        let transport = FakeTransport(isPacked: isPacked)
        var driver = try ConsoleDevice(transport, sendLimit: 64) { transport.allocate($0) }
        let device = try transport.model(1)
        for round in 0..<20 as Range<UInt8> {
            let isReady = try driver.isReadyToSend()
            #expect(isReady)
            driver.outgoing[0] = round
            driver.send(1)
            let isReadyAgain = try driver.isReadyToSend()
            #expect(!isReadyAgain)
            let chain = try #require(device.fetch())
            #expect(transport.memory.read(chain.buffers[0]) == [round])
            _ = device.use(chain, length: 0)
        }
        let isReady = try driver.isReadyToSend()
        #expect(isReady)
    }

    @Test(arguments: [false, true])
    func aConsoleTellsWhenItHasTakenWhatWasSent(_ isPacked: Bool) throws {
        let transport = FakeTransport(.eventIndex, isPacked: isPacked)
        var driver = try ConsoleDevice(transport, sendLimit: 64) { transport.allocate($0) }
        driver.interruptsWhenSent()
        let device = try transport.model(1)
        for _ in 0..<20 {
            driver.send(1)
            let isReady = try driver.isReadyToSend()
            #expect(!isReady)
            let chain = try #require(device.fetch())
            let interrupts = device.use(chain, length: 0)
            #expect(interrupts)
            let isReadyNow = try driver.isReadyToSend()
            #expect(isReadyNow)
        }
    }

    @Test func aConsoleTellsItsSizeWhereItHasOne() throws {
        let transport = FakeTransport(Features(rawValue: 1 << 0))
        transport.own.copyBytes(from: littleEndian(UInt16(100)) + littleEndian(UInt16(30)))
        let driver = try ConsoleDevice(transport, sendLimit: 64) { transport.allocate($0) }
        #expect(driver.windowSize?.rows == 30)
        #expect(driver.windowSize?.columns == 100)
        let other = FakeTransport()
        let plain = try ConsoleDevice(other, sendLimit: 64) { other.allocate($0) }
        #expect(plain.windowSize == nil)
    }

    @Test func aConsoleShowsBytesInAnEmergencyBeforeItIsStarted() throws {
        let transport = FakeTransport(Features(rawValue: 1 << 2))
        let output = try #require(EmergencyOutput(transport))
        for byte in Array("last".utf8) {
            output.write(byte)
            #expect(transport.own.load(fromByteOffset: 8, as: UInt32.self) == UInt32(byte))
        }
        #expect(transport.status.isEmpty)
        #expect(EmergencyOutput(FakeTransport()) == nil)
    }

    // MARK: Balloon

    private let reporting = Features(rawValue: 1 << 5 | 1 << 4)

    @Test(arguments: [false, true])
    func aReportEndsWhenTheDeviceHasTakenTheRange(_ isPacked: Bool) throws {
        let transport = FakeTransport(reporting, isPacked: isPacked)
        transport.own.storeBytes(of: 0xaaaa_aaaa, toByteOffset: 12, as: UInt32.self)
        var driver = try BalloonDevice(transport) { transport.allocate($0) }
        #expect(transport.own.load(fromByteOffset: 12, as: UInt32.self) == 0)
        let device = try transport.model(2)
        for round in 1..<10 as Range<UInt64> {
            let begun = [driver.report(round << 21, 2 << 20), driver.report(0, 4096)]
            #expect(begun == [true, false])
            let chain = try #require(device.fetch())
            let range = ModelChain.Element(address: round << 21, length: 2 << 20, isWritten: true)
            #expect(chain.buffers == [range])
            let early = try driver.hasReported()
            #expect(!early)
            _ = device.use(chain, length: 0)
            let late = try driver.hasReported()
            #expect(late)
        }
    }

    @Test func aBalloonsQueueOfReportsLiesBehindThoseItHas() throws {
        for (features, index) in [(0, 2), (2, 3), (8, 3), (10, 4)] as [(UInt64, UInt16)] {
            let transport = FakeTransport(reporting.union(Features(rawValue: features)))
            _ = try BalloonDevice(transport) { transport.allocate($0) }
            #expect(Array(transport.queues.keys) == [index])
        }
    }

    @Test(arguments: [0, 1 << 4, 1 << 5] as [UInt64])
    func aBalloonWhosePagesMayHoldAnythingIsNotUsed(_ features: UInt64) {
        let transport = FakeTransport(Features(rawValue: features))
        #expect(throws: DeviceFault.noAgreement) {
            try BalloonDevice(transport) { transport.allocate($0) }
        }
    }

    // MARK: 9P

    private func ask(_ answer: [UInt8], length: UInt32) throws -> [UInt8]? {
        let transport = FakeTransport(Features(rawValue: 1))
        transport.own.copyBytes(from: littleEndian(UInt16(4)) + Array("host".utf8))
        var driver = try NinePDevice(transport, messageLimit: 4096) { transport.allocate($0) }
        #expect(Array(driver.tag.bytes) == Array("host".utf8))
        let request = littleEndian(UInt32(9)) + [100, 0xff, 0xff, 1, 2]
        driver.outgoing.copyBytes(from: request)
        let asked = [driver.ask(), driver.ask()]
        #expect(asked == [true, false])
        let early = try driver.takeAnswer()
        #expect(early == nil)
        let device = try transport.model(0)
        let chain = try #require(device.fetch())
        #expect(transport.memory.read(chain.buffers[0]) == request)
        transport.memory.write(answer, to: chain.buffers[1])
        _ = device.use(chain, length: length)
        return try driver.takeAnswer().map { Array($0) }
    }

    @Test func anAnswerOfTheServerIsAWholeMessage() throws {
        let answer = littleEndian(UInt32(8)) + [101, 0xff, 0xff, 5]
        #expect(try ask(answer, length: 8) == answer)
        // Shorter than it says, longer than it is, and no message at all.
        #expect(try ask(answer, length: 7) == [])
        #expect(try ask(answer + [1, 2], length: 10) == answer)
        #expect(try ask(littleEndian(UInt32.max), length: 12) == [])
        #expect(try ask(littleEndian(UInt32(3)), length: 12) == [])
        #expect(try ask([], length: 0) == [])
        // A failure is an answer to everything; that of another type or tag is none.
        let failure = littleEndian(UInt32(11)) + [7, 0xff, 0xff, 2, 0, 0, 0]
        #expect(try ask(failure, length: 11) == failure)
        #expect(try ask(littleEndian(UInt32(7)) + [103, 0xff, 0xff], length: 7) == [])
        #expect(try ask(littleEndian(UInt32(7)) + [101, 0xfe, 0xff], length: 7) == [])
    }

    @Test func aRequestWithoutASizeIsNotSent() throws {
        let transport = FakeTransport()
        var driver = try NinePDevice(transport, messageLimit: 4096) { transport.allocate($0) }
        var asked = driver.ask()
        #expect(!asked)
        driver.outgoing.copyBytes(from: littleEndian(UInt32(4097)))
        asked = driver.ask()
        #expect(!asked)
        #expect(try transport.model(0).fetch() == nil)
    }
}
