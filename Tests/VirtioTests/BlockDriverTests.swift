import Testing
import Virtio

/// The disk's driver against a model of a disk.
@Suite struct BlockDriverTests {
    private static let readOnly = Features(rawValue: 1 << 5)
    private static let blockSize = Features(rawValue: 1 << 6)
    private static let discard = Features(rawValue: 1 << 13)

    private func transport(_ features: Features = [], isPacked: Bool) -> FakeTransport {
        let transport = FakeTransport(features, isPacked: isPacked)
        transport.own.storeBytes(of: 2048, as: UInt64.self)
        return transport
    }

    @Test(arguments: [false, true])
    func aRequestIsLaidOutAsTheSectionSays(_ isPacked: Bool) throws {
        let transport = transport(isPacked: isPacked)
        var driver = try BlockDevice(transport) { transport.allocate($0) }
        #expect(driver.capacity == 2048)
        let data = try #require(transport.allocate(1024))
        let device = try transport.model(0)
        for (operation, code) in [(BlockOperation.read, UInt32(0)), (.write, 1)] {
            let begun = driver.begin(operation, sector: 77, data: (data.address, 1024))
            let number = try #require(begun)
            let chain = try #require(device.fetch())
            #expect(chain.buffers.count == 3)
            let header = littleEndian(code) + littleEndian(UInt32(0)) + littleEndian(UInt64(77))
            #expect(transport.memory.read(chain.buffers[0]) == header)
            #expect(chain.buffers[1].address == data.address)
            #expect(chain.buffers[1].isWritten == (operation == .read))
            #expect(chain.buffers[2].length == 1)
            transport.memory.write([0], to: chain.buffers[2])
            _ = device.use(chain, length: operation == .read ? 1025 : 1)
            var ended: [Int: BlockOutcome] = [:]
            try driver.takeEnded { ended[$0] = $1 }
            #expect(ended == [number: .done])
        }
    }

    @Test(arguments: [(0, 1025, BlockOutcome.done), (1, 1025, .failed), (2, 1025, .notSupported)])
    func theStatusDecides(_ status: UInt8, _ length: UInt32, _ outcome: BlockOutcome) throws {
        #expect(try read(status: status, length: length) == outcome)
    }

    /// A status that there is not, one that was not written, and a read that brought less than asked.
    @Test func whatIsNotDoneHasFailed() throws {
        #expect(try read(status: 77, length: 1025) == .failed)
        #expect(try read(status: nil, length: 1025) == .failed)
        #expect(try read(status: 0, length: 1024) == .failed)
    }

    private func read(status: UInt8?, length: UInt32) throws -> BlockOutcome? {
        let transport = transport(isPacked: false)
        var driver = try BlockDevice(transport) { transport.allocate($0) }
        let data = try #require(transport.allocate(1024))
        _ = driver.begin(.read, sector: 0, data: (data.address, 1024))
        let device = try transport.model(0)
        let chain = try #require(device.fetch())
        if let status { transport.memory.write([status], to: chain.buffers[2]) }
        _ = device.use(chain, length: length)
        var outcome: BlockOutcome?
        try driver.takeEnded { outcome = $1 }
        return outcome
    }

    @Test(arguments: [false, true])
    func requestsEndInAnyOrderAndNoMoreThanEightAreUnderWay(_ isPacked: Bool) throws {
        let transport = transport(isPacked: isPacked)
        var driver = try BlockDevice(transport) { transport.allocate($0) }
        let device = try transport.model(0)
        for round in 0..<50 as Range<UInt64> {
            var numbers: [Int] = []
            for sector in 0..<8 as Range<UInt64> {
                let number = driver.begin(.write, sector: round * 8 + sector, data: (0x1000, 512))
                numbers.append(try #require(number))
            }
            #expect(Set(numbers).count == 8)
            let ninth = driver.begin(.flush, sector: 0)
            #expect(ninth == nil)
            var chains: [ModelChain] = []
            while let chain = device.fetch() { chains.append(chain) }
            for (index, chain) in chains.enumerated().reversed() {
                transport.memory.write([index % 2 == 0 ? 0 : 1], to: chain.buffers[2])
                _ = device.use(chain, length: 1)
            }
            var ended: [Int: BlockOutcome] = [:]
            try driver.takeEnded { ended[$0] = $1 }
            let expected = numbers.enumerated().map { index, number in
                (number, index % 2 == 0 ? BlockOutcome.done : .failed)
            }
            #expect(ended == Dictionary(uniqueKeysWithValues: expected))
        }
    }

    @Test func discardingNamesSectors() throws {
        let transport = transport(Self.discard, isPacked: false)
        transport.own.storeBytes(of: 4096, toByteOffset: 36, as: UInt32.self)
        var driver = try BlockDevice(transport) { transport.allocate($0) }
        #expect(driver.discardLimit == 4096)
        _ = driver.begin(.discard, sector: 5, sectorCount: 9)
        let chain = try #require(try transport.model(0).fetch())
        let record = littleEndian(UInt64(5)) + littleEndian(UInt32(9)) + littleEndian(UInt32(0))
        #expect(chain.buffers.map(\.isWritten) == [false, false, true])
        #expect(transport.memory.read(chain.buffers[0]).prefix(4) == [11, 0, 0, 0])
        #expect(transport.memory.read(chain.buffers[1]) == record)
    }

    @Test func whatADiskSaysOfItselfIsCheckedFirst() throws {
        let transport = transport([Self.readOnly, Self.blockSize], isPacked: false)
        transport.own.storeBytes(of: .max, as: UInt64.self)
        for (told, taken) in [(4096, 4096), (0, 512), (100, 512), (5000, 512), (1 << 31, 512)] {
            transport.own.storeBytes(of: UInt32(told), toByteOffset: 20, as: UInt32.self)
            let driver = try BlockDevice(transport) { transport.allocate($0) }
            #expect(driver.blockSize == taken)
            #expect(driver.isReadOnly)
            #expect(driver.capacity <= UInt64(Int64.max) / 512)
            #expect(!driver.hasFlush && driver.discardLimit == 0)
        }
    }
}
