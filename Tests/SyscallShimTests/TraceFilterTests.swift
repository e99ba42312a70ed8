import Testing

@testable import SyscallShim

@Suite struct TraceFilterTests {
    private func rows(_ body: (Row) -> Void) {
        body(Row(0, "read", succeed, .full, .descriptor, .output, .size))
        body(Row(1, "write", succeed, .full, .descriptor, .input, .size))
        body(Row(4, "stat", succeed, .full, .path, .fileStatusResult))
        body(Row(9, "mmap", succeed, .full, .address, .size, .protection))
        body(Row(22, "pipe", succeed, .full, .descriptorPair))
        body(Row(14, "rt_sigprocmask", succeed, .full, .maskOperation, .signalSet))
        body(Row(39, "getpid", succeed))
        body(Row(refused: 41, "socket"))
        body(Row(56, "clone", succeed, .full, .cloneFlags))
        body(Row(257, "openat", succeed, .full, .directory, .path, .openFlags))
    }

    private func parse(_ text: String) -> (filter: TraceFilter?, wrongWord: String?) {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            switch TraceFilter.parse(bytes, rows: rows) {
            case .filter(let filter): return (filter, nil)
            case .wrongWord(let range): return (nil, String(decoding: bytes[range], as: UTF8.self))
            }
        }
    }

    /// Numbers of the rows above that a list shows.
    private func shown(_ text: String) throws -> Set<Int> {
        let filter = try #require(parse(text).filter)
        var numbers: Set<Int> = []
        rows { if filter.shows(Int($0.number)) { numbers.insert(Int($0.number)) } }
        return numbers
    }

    private var all: Set<Int> { [0, 1, 4, 9, 14, 22, 39, 41, 56, 257] }

    @Test func anEmptyListShowsEverything() throws {
        #expect(try shown("") == all)
        #expect(try #require(parse("").filter).shows(9999))
    }

    @Test func namesSelectSingleCalls() throws {
        #expect(try shown("read,mmap") == [0, 9])
        #expect(try #require(parse("read").filter).shows(9999) == false)
    }

    @Test func groupsFollowTheArgumentsOfRows() throws {
        #expect(try shown("%file") == [4, 257])
        #expect(try shown("%desc") == [0, 1, 22, 257])
        #expect(try shown("%memory") == [9])
    }

    @Test func groupsThatArgumentsDoNotTellAreLists() throws {
        #expect(try shown("%network") == [41])
        #expect(try shown("%signal") == [14])
        #expect(try shown("%process") == [56])
        #expect(try shown("%pure") == [39])
        #expect(try shown("%%stat") == [4])
        #expect(try shown("%ipc") == [])
    }

    @Test func aLeadingMarkShowsAllButTheList() throws {
        #expect(try shown("!%file,read") == all.subtracting([0, 4, 257]))
        #expect(try #require(parse("!read").filter).shows(9999))
    }

    @Test func aLaterMarkTakesOneOut() throws {
        #expect(try shown("%desc,!read") == [1, 22, 257])
    }

    @Test func allAndNoneAreWords() throws {
        #expect(try shown("all,!read") == all.subtracting([0]))
        #expect(try shown("none") == [])
        #expect(try shown("!all") == [])
        #expect(try shown("none,read") == [0])
    }

    @Test func aWrongWordIsNamed() {
        #expect(parse("read,opne").wrongWord == "opne")
        #expect(parse("%fiel").wrongWord == "%fiel")
        #expect(parse("!nothing").wrongWord == "nothing")
        #expect(parse("read,").wrongWord == "")
        #expect(parse("read,%desc").wrongWord == nil)
    }

    @Test func theHostAsksForTheWrongWordAlone() {
        #expect(TraceFilter.wrongWord(in: "socket,bogus") == "bogus")
        #expect(TraceFilter.wrongWord(in: "!%network") == nil)
    }

    @Test func theKernelShowsEverythingWhenItWasToldNonsense() throws {
        try TracedProgram.run { program in
            Array("bogus".utf8).withUnsafeBytes { Tracer.install(.trace, filterText: $0) }
            #expect(!program.trace(Row(39, "getpid", succeed)).isEmpty)
        }
    }
}
