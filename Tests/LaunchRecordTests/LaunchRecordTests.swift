import LaunchRecord
import Testing

private func items(_ record: [UInt8]) throws -> [(LaunchRecord.Kind, [UInt8])] {
    try record.withUnsafeBytes { bytes in
        var reader = try LaunchRecordReader(bytes)
        var found: [(LaunchRecord.Kind, [UInt8])] = []
        while let item = try reader.next() { found.append((item.kind, Array(item.payload))) }
        return found
    }
}

@Test func readerReturnsWhatTheWriterWrote() throws {
    var writer = LaunchRecordWriter()
    writer.add(.programPath, "/hello")
    writer.add(.argument, "")
    writer.add(.memoryLimit, 0x0123_4567_89ab_cdef)
    let found = try items(writer.record)
    #expect(found.map(\.0) == [.programPath, .argument, .memoryLimit])
    #expect(found[0].1 == Array("/hello".utf8))
    #expect(found[1].1.isEmpty)
    #expect(found[2].1 == [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01])
}

@Test func everyTruncationIsAnErrorOrAShorterRecordButNeverACrash() throws {
    var writer = LaunchRecordWriter()
    writer.add(.programPath, "/bin/program")
    writer.addUser(1000, group: 1000)
    let record = writer.record
    for length in 0..<record.count {
        #expect(throws: LaunchRecordReader.Failure.self) { try items(Array(record[..<length])) }
    }
}

@Test func anItemThatLeadsOutOfTheRecordIsRefused() throws {
    var writer = LaunchRecordWriter()
    writer.add(.hostname, "guest")
    var record = writer.record
    record[LaunchRecord.headerSize + 4] = 0xff
    #expect(throws: LaunchRecordReader.Failure.wrongLength(offset: 16)) { try items(record) }
}

@Test func unknownKindsAreSkipped() throws {
    var writer = LaunchRecordWriter()
    writer.add(.hostname, "guest")
    writer.add(.argument, "kept")
    var record = writer.record
    record[LaunchRecord.headerSize] = 0xee
    #expect(try items(record).map(\.0) == [.argument])
}

@Test func aKnownSiteIsOneWord() throws {
    let site = try #require(KnownSite(offset: 0x1ff_1234_5678, number: 231))
    for boundary in [nil, 0, 7, KnownSite.farthestBoundary] {
        let site = try #require(KnownSite(offset: .max >> 22, number: 15, boundary: boundary))
        #expect(KnownSite(word: site.word) == site)
    }
    #expect(KnownSite(word: .max).boundary == nil)
    #expect(KnownSite(offset: 1 << 42, number: 0) == nil)
    #expect(KnownSite(offset: 0, number: 1 << 16) == nil)
    #expect(KnownSite(offset: 0, number: 0, boundary: 32) == nil)
    #expect(KnownSite(offset: 0, number: 0, boundary: -1) == nil)
    var writer = LaunchRecordWriter()
    writer.addKnownSites([site, site])
    let found = try items(writer.record)
    #expect(found.map(\.0) == [.knownSites])
    #expect(found[0].1.count == 2 * KnownSite.encodedSize)
}
