#!/usr/bin/perl
# A small SMSC on Net::SMPP (Perl), told what to do by JSON lines on standard input, as tests/peers/node_centre.js.
#   in:  {"do":"sms","msisdn":"7916...","to":"9290","hex":"62616c","esm_class":0}
#        {"do":"receipt","msisdn":"7916...","to":"9290","id":"perl-1","state":"DELIVRD"}
#        {"do":"unit","op":1,"msisdn":"7916...","to":"929","hex":"2a3932392a23","info":"0700"}
#        {"do":"deliver","n":1,"source":"7916...","to":"929","service_type":"USSD","coding":0,"esm_class":0,
#         "hex":"2a3932392a23","tlvs":[[1281,"01"]]}   answered by {"event":"answered","n":1,..}
#        {"do":"enquire"} {"do":"unbind"} {"do":"close"}
#   out: {"event":"listening","port":n} {"event":"bound",..} {"event":"answered","status":n,"seq":n}
#        {"event":"submit","hex":..,"esm_class":n,..} {"event":"alive"} {"event":"unbound"} {"event":"closed"}
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Net::SMPP;

$| = 1;
$SIG{PIPE} = 'IGNORE';
# Net::SMPP warns of every end of a connection on standard error.
$SIG{__WARN__} = sub { };

my $json = JSON::PP->new->canonical;
my ($esme, $ids, %sent) = (undef, 0);
my $version = $ARGV[0] || '';

# A session number of its own, as one maker of centres has it.
$Net::SMPP::param_by_name{session_number} = 0x1501;
my %names = reverse %Net::SMPP::param_by_name;

sub tell_event { print $json->encode({@_}), "\n" }

my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0) or die "no listener: $!";
tell_event(event => 'listening', port => $listener->sockport);

my $select = IO::Select->new($listener, \*STDIN);
my $orders = '';

sub forget {
    $select->remove($esme);
    close $esme;
    undef $esme;
    tell_event(event => 'closed');
}

sub bind_resp {
    my ($pdu, $how) = @_;
    my @version = $version ? (sc_interface_version => chr(0x34)) : ();
    my %answer = (seq => $pdu->{seq}, system_id => 'perl');
    if    ($how eq 'bind_transceiver') { $esme->bind_transceiver_resp(%answer, @version) }
    elsif ($how eq 'bind_receiver')    { $esme->bind_receiver_resp(%answer, @version) }
    else                               { $esme->bind_transmitter_resp(%answer, @version) }
    tell_event(event => 'bound', system_id => $pdu->{system_id}, password => $pdu->{password}, how => $how);
}

sub on_submit {
    my ($pdu) = @_;
    my $id = 'perl-' . ++$ids;
    $esme->submit_sm_resp(seq => $pdu->{seq}, message_id => $id);
    tell_event(
        event => 'submit', id => $id, hex => unpack('H*', $pdu->{short_message}),
        esm_class => $pdu->{esm_class}, coding => $pdu->{data_coding}, to => $pdu->{destination_addr},
        from => $pdu->{source_addr}, service_type => $pdu->{service_type},
        tlvs => [map { [$_ + 0, unpack 'H*', $pdu->{$_}] } sort grep { /^\d+$/ } keys %$pdu], validity => $pdu->{validity_period},
        receipt => $pdu->{registered_delivery}, op => $pdu->{1281} ? ord $pdu->{1281} : undef,
        info => $pdu->{4995} ? unpack('H*', $pdu->{4995}) : undef,
    );
}

sub on_pdu {
    my $pdu = $esme->read_pdu();
    return forget() if !defined $pdu;
    my $command = $pdu->{cmd};
    if    ($command == 0x09) { bind_resp($pdu, 'bind_transceiver') }
    elsif ($command == 0x01) { bind_resp($pdu, 'bind_receiver') }
    elsif ($command == 0x02) { bind_resp($pdu, 'bind_transmitter') }
    elsif ($command == 0x04) { on_submit($pdu) }
    elsif ($command == 0x15) { $esme->enquire_link_resp(seq => $pdu->{seq}) }
    elsif ($command == 0x06) {
        $esme->unbind_resp(seq => $pdu->{seq});
        tell_event(event => 'unbound');
    }
    elsif ($command == 0x80000015) { tell_event(event => 'alive') }
    elsif ($command == 0x80000006) { forget() }
    elsif ($command == 0x80000005) {
        my $what = delete $sent{$pdu->{seq}};
        tell_event(event => 'answered', status => $pdu->{status}, ref $what ? %$what : (what => $what));
    }
    else { tell_event(event => 'other', command => $command) }
}

sub deliver {
    my ($order, $what, $text, @extra) = @_;
    return unless defined $esme;
    my $seq = $esme->deliver_sm(
        async => 1, source_addr_ton => 1, source_addr_npi => 1, source_addr => $order->{msisdn},
        destination_addr => $order->{to}, esm_class => $order->{esm_class} || 0, short_message => $text, @extra,
    );
    $sent{$seq} = $what;
}

sub on_order {
    my $order = $json->decode($_[0]);
    my $do = $order->{do};
    if ($do eq 'sms') { deliver($order, 'sms', pack('H*', $order->{hex})) }
    elsif ($do eq 'unit') {
        deliver(
            $order, 'unit', pack('H*', $order->{hex}), service_type => 'USSD',
            1281 => $order->{op}, its_session_info => pack('H*', $order->{info}),
        );
    }
    elsif ($do eq 'deliver') {
        deliver(
            {%$order, msisdn => $order->{source}}, {n => $order->{n}}, pack('H*', $order->{hex}),
            service_type => $order->{service_type}, data_coding => $order->{coding},
            map { ($names{$_->[0]} => pack 'H*', $_->[1]) } @{$order->{tlvs}},
        );
    }
    elsif ($do eq 'receipt') {
        my $text = "id:$order->{id} sub:001 dlvrd:001 submit date:2611221010 done date:2611221011"
            . " stat:$order->{state} err:000 text:";
        deliver({%$order, esm_class => 4}, 'receipt', $text);
    }
    elsif ($do eq 'enquire') { $esme->enquire_link(async => 1) }
    elsif ($do eq 'unbind')  { $esme->unbind(async => 1) }
    elsif ($do eq 'close')   { forget() }
}

while (1) {
    for my $ready ($select->can_read) {
        if ($ready == \*STDIN) {
            sysread(STDIN, $orders, 65536, length $orders) or exit 0;
            on_order($1) while $orders =~ s/^(.*)\n//;
        }
        elsif ($ready == $listener) {
            my $new = $listener->accept or next;
            $esme = $new;
            $select->add($esme);
        }
        elsif (defined $esme && $ready == $esme) { on_pdu() }
    }
}
