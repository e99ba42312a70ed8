import LinuxABI
import Testing

@testable import Kernel

/// The numbers of System V's objects: sysvipc(7).
@Suite struct IPCTableTests {
    @Test func aPlaceThatIsUsedAgainHasAnotherNumber() {
        var outcomes: [Errno?] = []
        var tries = 0
        _ = TaskMachine.run { _ in
            var table = IPCTable()
            let first = IPCObject(key: 1, permissions: 0o600, .current)
            try? table.insert(first, limit: 10)
            let old = first.id
            outcomes.append(failure { () throws(Errno) in _ = try table.object(old) })
            table.remove(first)
            outcomes.append(failure { () throws(Errno) in _ = try table.object(old) })
            var next = first
            repeat {
                if next !== first { table.remove(next) }
                next = IPCObject(key: 1, permissions: 0o600, .current)
                try? table.insert(next, limit: 10)
                tries += 1
            } while next.id & 0x7fff != old & 0x7fff && tries < 1000
            outcomes.append(failure { () throws(Errno) in _ = try table.object(old) })
            outcomes.append(failure { () throws(Errno) in _ = try table.object(next.id) })
            table.removeAll()
        }
        #expect(outcomes == [nil, .invalidArgument, .identifierRemoved, nil])
        #expect(tries > 1)
        #expect(tries < 1000)
    }

    @Test func aTableTakesNoMoreThanItsLimitAndFindsByKey() {
        var refusal: Errno?
        var found: [Bool] = []
        var end = 0
        _ = TaskMachine.run { _ in
            var table = IPCTable()
            let objects = (1...40).map { IPCObject(key: $0, permissions: 0o600, .current) }
            for object in objects { try? table.insert(object, limit: 40) }
            let more = IPCObject(key: 41, permissions: 0o600, .current)
            refusal = failure { () throws(Errno) in try table.insert(more, limit: 40) }
            table.remove(objects[39])
            end = table.end
            found = [1, 39, 40, 41].map { table.object(withKey: $0) != nil }
            table.removeAll()
        }
        #expect(refusal == .noSpace)
        #expect(end == 39)
        #expect(found == [true, true, false, false])
    }
}

/// What a call throws.
private func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) {
        try body()
        return nil
    } catch { return error }
}
